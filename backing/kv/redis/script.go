package redis

// The scripts have the same KEYS: number of commits, log, values, order, expiries, head. A value begins with
// its expiry (8 bytes, big endian, Unix milliseconds, 0 for none). An element of the log begins with its commit's token.
// The head is the token of the newest commit once more: Lua hashes each byte of a string that it
// gets, and the elements are long.
// Scripts replicate by their effects, so nothing in them needs to be repeatable.
const (
	tokenSize = 16
	// kept is how many commits the log remembers: a transaction that falls further behind runs again.
	kept = 512
)

// since gives the commits after number ARGV[1], whose token is ARGV[2]; nothing when that commit is
// forgotten or was lost. head is the token of the newest commit.
const since = `
local number = tonumber(redis.call('GET', KEYS[1]) or '0')
local head = redis.call('GET', KEYS[6]) or ''
local function since(at, token)
	if at == number then
		if token == head then return {} end
		return nil
	end
	local behind = number - at
	if behind < 0 or behind >= redis.call('LLEN', KEYS[2]) + (at == 0 and 1 or 0) then return nil end
	if at > 0 and string.sub(redis.call('LINDEX', KEYS[2], -behind - 1), 1, 16) ~= token then return nil end
	return redis.call('LRANGE', KEYS[2], -behind, -1)
end
`

// each calls fn for pieces of the arguments first to last, which unpack has room for.
const each = `
local function each(first, last, fn)
	for i = first, last, 1000 do fn(i, math.min(i + 999, last)) end
end
`

// read: ARGV[1] is a commit or empty, 3 the time, 4 the number of keys, then the keys, then lower, upper and limit of
// ranges. It answers {number, head, commits since, values, pages}, or nothing as since does.
const read = since + each + `
local commits = {}
if ARGV[1] ~= '' then
	commits = since(tonumber(ARGV[1]), ARGV[2])
	if not commits then return {} end
end
local now, keys = tonumber(ARGV[3]), tonumber(ARGV[4])
local values, pages = {}, {}
each(5, 4 + keys, function(i, j)
	for _, value in ipairs(redis.call('HMGET', KEYS[3], unpack(ARGV, i, j))) do values[#values + 1] = value end
end)
for i = 5 + keys, #ARGV, 3 do
	local lower, upper, limit = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
	local page, left = {}, limit
	while left > 0 do
		local asked = math.max(left, 16)
		local ids = redis.call('ZRANGEBYLEX', KEYS[4], lower, upper, 'LIMIT', 0, asked)
		for _, id in ipairs(ids) do
			local value = redis.call('HGET', KEYS[3], id)
			local expires = string.sub(value, 1, 8)
			if left > 0 and (expires == '\0\0\0\0\0\0\0\0' or struct.unpack('>I8', expires) > now) then
				page[#page + 1] = id
				page[#page + 1] = value
				left = left - 1
			end
		end
		if #ids < asked then break end
		lower = '(' .. ids[#ids]
	end
	pages[#pages + 1] = page
end
return {number, head, commits, values, pages}
`

// commit: ARGV[3] is the log's new element, 4 how many it keeps, 5 and 6 the numbers of puts and deletes; then come key and
// value of each put, the keys to delete, and expiry and key of each put that expires. It answers {} when since gives nothing,
// {number, head, commits} when it gives some, and otherwise {number}.
const commit = since + each + `
local commits = since(tonumber(ARGV[1]), ARGV[2])
if not commits then return {} end
if #commits > 0 then return {number, head, commits} end
local puts = 6 + 2 * tonumber(ARGV[5])
local deletes = puts + tonumber(ARGV[6])
each(7, puts, function(i, j)
	redis.call('HSET', KEYS[3], unpack(ARGV, i, j))
	local order = {}
	for k = i, j, 2 do
		order[#order + 1] = '0'
		order[#order + 1] = ARGV[k]
	end
	redis.call('ZADD', KEYS[4], unpack(order))
end)
each(puts + 1, deletes, function(i, j)
	redis.call('HDEL', KEYS[3], unpack(ARGV, i, j))
	redis.call('ZREM', KEYS[4], unpack(ARGV, i, j))
end)
each(deletes + 1, #ARGV, function(i, j) redis.call('ZADD', KEYS[5], unpack(ARGV, i, j)) end)
redis.call('RPUSH', KEYS[2], ARGV[3])
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[4]), -1)
redis.call('SET', KEYS[6], string.sub(ARGV[3], 1, 16))
return {redis.call('INCR', KEYS[1])}
`

// resolve: ARGV[3] is the token of a commit on top of ARGV[1], 4 one for an empty commit, which takes its
// place unless something else has: then the commit, should it still be on its way, fails.
const resolve = since + `
local commits = since(tonumber(ARGV[1]), ARGV[2])
if not commits then
	if number < tonumber(ARGV[1]) then return 'aborted' end
	return 'unknown'
end
for _, element in ipairs(commits) do
	if string.sub(element, 1, 16) == ARGV[3] then return 'committed' end
end
if #commits == 0 then
	redis.call('RPUSH', KEYS[2], ARGV[4])
	redis.call('SET', KEYS[6], ARGV[4])
	redis.call('INCR', KEYS[1])
end
return 'aborted'
`

// purge: ARGV[1] is the time, 2 how many to look at. An expiry that has passed may be an older one of its key.
const purge = `
local now = tonumber(ARGV[1])
local ids = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
	local value = redis.call('HGET', KEYS[3], id)
	local expires = value and struct.unpack('>I8', value) or 0
	if expires > 0 and expires <= now then
		redis.call('HDEL', KEYS[3], id)
		redis.call('ZREM', KEYS[4], id)
	end
	if expires <= now then redis.call('ZREM', KEYS[5], id) end
end
return #ids
`
