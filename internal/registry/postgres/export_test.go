package postgres

import "database/sql"

// The queries of the hot path, for tests that ask PostgreSQL how it would run them.
const (
	SelectMatch      = selectMatch
	SelectEndpoint   = selectEndpoint
	SelectSourceByID = selectSourceByID
	SelectWithheld   = selectWithheld
	SelectObject     = selectObject
	IsStillToCome    = isStillToCome
	TakeWrite        = takeWrite
	SweepWrites      = sweepWrites
	SweepPassed      = sweepPassed
)

// Migrations are the steps of the schema, for tests that stop at one of them.
var Migrations = migrations

// DB is the registry's own pool.
func (r *Registry) DB() *sql.DB { return r.db }

// Keep lets a tenant have so many writes.
func (r *Registry) Keep(n int) { r.maxLedger = n }

// SweepNext lets the next write to the ledger sweep it.
func (r *Registry) SweepNext() { r.writes.Store(0) }
