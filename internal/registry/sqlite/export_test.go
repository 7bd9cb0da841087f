package sqlite

// The queries of the hot path, for tests that ask SQLite how it would run them.
const (
	SelectMatch    = selectMatch
	SelectEndpoint = selectEndpoint
)

// Migrations are the steps of the schema, for tests that stop at one of them.
var Migrations = migrations
