package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"greentic.dev/greentic/fault"
)

const schemaVersion = 1

// oldest is the first version with pg_current_xact_id.
const oldest = 130000

// setup checks the server and creates what is missing. Schema and version are read first: whoever
// only uses a store needs no right to create one.
func (s *store) setup(ctx context.Context) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	var server int
	if err := s.conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&server); err != nil {
		return classify(err)
	}
	if server < oldest {
		return fault.Newf(fault.Unsupported, "", "the server has version %d, at least %d is needed", server/10000, oldest/10000)
	}
	err := pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, int32(lockClass), s.lock); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.schema+".kv_version").Scan(&there); err != nil {
			return err
		}
		if !there {
			return s.create(ctx, tx)
		}
		var version int
		if err := tx.QueryRow(ctx, "SELECT version FROM kv_version").Scan(&version); err != nil {
			return err
		}
		if version != schemaVersion {
			return fault.Newf(fault.Unsupported, "", "the store has version %d, this program knows %d", version, schemaVersion).WithFix("use the program that wrote it, or a newer one")
		}
		return nil
	})
	if fault.Is(err, fault.Unsupported) || err == nil {
		return err
	}
	return classify(err)
}

// create makes the schema. Keys are compared bytewise: bytea has no collation, and the scope gets
// the one of C. Rows leave room on their page, so that an update need not touch the index.
func (s *store) create(ctx context.Context, tx pgx.Tx) error {
	for _, statement := range []string{
		`CREATE SCHEMA IF NOT EXISTS ` + pgx.Identifier{s.schema}.Sanitize(),
		`CREATE TABLE kv (
			scope   text COLLATE "C" NOT NULL,
			key     bytea NOT NULL,
			value   bytea NOT NULL,
			expires bigint,
			PRIMARY KEY (scope, key)
		) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)`,
		`CREATE INDEX kv_expires ON kv (expires) WHERE expires IS NOT NULL`,
		`CREATE TABLE kv_version (version int NOT NULL)`,
		`INSERT INTO kv_version VALUES (1)`,
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
