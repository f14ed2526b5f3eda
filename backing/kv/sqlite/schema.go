package sqlite

import "greentic.dev/greentic/fault"

// schemaVersion is in the file as user_version. Version 1 had the name of the scope in every key,
// version 2 had no log.
const schemaVersion = 3

// pragmas of every connection. A page of 8 KiB holds a session beside others, where one of 4 KiB
// would give it pages of its own; a file that exists keeps the size it has. cacheSize in KiB lets
// the writer keep what is written again and again.
const pragmas = `
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 2000;`

const cacheSize = "PRAGMA cache_size = -32768;"

// log is what version 3 has more than version 2: what was committed and is not in the table of keys yet.
const log = `
CREATE TABLE log (
	id    INTEGER PRIMARY KEY,
	cells BLOB NOT NULL
);
PRAGMA user_version = 3;`

// tables is version 2. Scope 0 is the system's; expires comes before the value, which may lie on
// pages that need not be read to know that it has expired.
const tables = `
CREATE TABLE scopes (
	id   INTEGER PRIMARY KEY,
	name BLOB NOT NULL UNIQUE
);
CREATE TABLE kv (
	scope   INTEGER NOT NULL,
	key     BLOB NOT NULL,
	expires INTEGER,
	value   BLOB NOT NULL,
	PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE INDEX kv_expires ON kv (expires) WHERE expires IS NOT NULL;`

// setup brings a new or older file to this version, in one transaction.
func setup(c *connection) error {
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	if version > schemaVersion {
		return fault.Newf(fault.Unsupported, "", "the store has version %d, this program knows %d", version, schemaVersion).WithFix("use the program that wrote it, or a newer one")
	}
	if err := c.script(pragmas + cacheSize); err != nil || version == schemaVersion {
		return err
	}
	old, err := c.number("SELECT count(*) FROM sqlite_schema WHERE name = 'kv'") // version 1 wrote its number last
	if err != nil {
		return err
	}
	script := tables
	switch {
	case version == 2:
		script = ""
	case old > 0:
		script = `DROP INDEX IF EXISTS kv_expires; ALTER TABLE kv RENAME TO kv_1;` + tables + `
			INSERT INTO scopes (name) SELECT DISTINCT CAST(scope AS BLOB) FROM kv_1 WHERE scope <> '';
			INSERT INTO kv SELECT coalesce(id, 0), key, expires, value FROM kv_1 LEFT JOIN scopes ON name = CAST(scope AS BLOB);
			DROP TABLE kv_1;`
	}
	if err = c.script("BEGIN IMMEDIATE;" + script + log + "COMMIT;"); err != nil {
		_ = c.script("ROLLBACK") // what fails says so above; closing would do it too
	}
	return err
}

func setupReader(c *connection) error { return c.script(pragmas + "PRAGMA query_only = 1;") }
