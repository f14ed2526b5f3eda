// Package redis is kv on Redis 6.2 or newer: the fast store of several processes.
//
// What it is: six keys of one hash tag, so of one node: the values, their order, their expiries, a
// number that counts the commits and a log of what the last few of them wrote. Updates of a process are
// gathered by package batch. Reading is one script that answers of one moment and tells what was
// written since the transaction's last read; committing is one script that stores all writes, or
// none if anything was written since. What was written is compared here with the keys and the
// ranges that were read: if they do not meet, the transaction goes on as of now, otherwise it runs
// again. Views do the same, so also the fn of a view may run again. Who calls it: system, by the URL
// redis://HOST?namespace=NAME. What it refuses to do: run an update again whose commit may have happened, or
// use a server that evicts keys. Main types: [DB], [Options].
//
// An update is as durable as the server's append-only file when it returns. With appendonly yes and
// appendfsync everysec a crash of the machine loses at most the last second or so, each commit whole or
// not at all; a crash of the server alone loses nothing that it had written to its file. appendfsync always loses nothing.
// Without appendonly a restart goes back to the last snapshot. Replicas follow asynchronously, and a
// failover may lose what they had not received; nothing here waits for them.
//
// Each commit has a token in the log. When the connection breaks during a commit, a script looks for the
// token: found is success; otherwise it makes sure that the lost commit cannot happen later, and the
// update runs again. Numbers are compared together with tokens, so a server that lost commits is never
// taken for the one it was. Its promises are tested by kvtest in redis_test.go, crashes in crash_test.go.
package redis
