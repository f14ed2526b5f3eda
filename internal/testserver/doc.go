// Package testserver starts real database servers for tests and measurements: PostgreSQL and Redis.
//
// What it is: a server in a folder of its own, durable (fsync on), on a Unix socket there,
// that can be stopped, killed and started again. Who calls it: tests, which keep one
// server in a variable, take a fresh database from it in each test and close it in TestMain; and bench. What it
// refuses to do: use a server that it did not start. Main types: [Postgres], [Redis]. It is tested by
// server_test.go and by every backend's suite that stands on it.
package testserver
