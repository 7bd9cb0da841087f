package sqlstore

import (
	"context"
	"database/sql"
)

// Dialect is what one database says or does otherwise than the other. Parameters are $1, $2, … in
// both.
type Dialect interface {
	// ForUpdate follows a SELECT to lock its row until the transaction ends; empty where one
	// transaction writes at a time.
	ForUpdate() string
	// Lock makes transactions that name the same thing take turns, from here until each ends.
	Lock(ctx context.Context, tx *sql.Tx, name ...string) error
	// List makes a parameter of a slice of strings or numbers.
	List(slice any) any
	// Items reads such a parameter as the table item with one column, value.
	Items(param string) string
	// Among follows a column whose value is to be in such a parameter.
	Among(param string) string
	// TakenItems reads the lists $2, $3 and $4 as a table with the columns name, first_at and
	// expires_at.
	TakenItems() string
	// JSONList reads a JSON list as the table item with one column, value, whose own elements
	// value ->> n gives.
	JSONList(param string) string
	// Match finds the endpoint_id and disabled of a tenant's ($1) subscriptions to any of the
	// patterns in the list $2, in the order of both.
	Match() string
	// NextOrder gives the next place in the order of a tenant's ($1) changes.
	NextOrder() string
	// Outdated says which rows of echo_writes lie more than $2 changes of their tenant ($1) back.
	Outdated() string
	// Delete writes the statement that deletes some rows of a table.
	Delete(Rows) string
	// KeepsPrepared says whether a query must be prepared once to be compiled once. A driver that
	// remembers what it has prepared for each connection needs no help.
	KeepsPrepared() bool
	// Fault tells the errors apart to which callers answer differently.
	Fault(err error) Fault
	// Explain says in a few words what a database says in many, where it depends on the database
	// and not on us.
	Explain(ctx context.Context, err error) error
}

// Rows are some of a table: those that stand first in an index, no more than a limit.
type Rows struct {
	Table string
	Key   string // its columns
	Where string
	Order string // the column of the index
	Limit string // a number or a parameter
}

// Fault is what an error of a database says about the request.
type Fault int

// The faults.
const (
	OtherFault Fault = iota
	Taken            // a row with that key is there already
	NotText          // a text holds NUL, or bytes that are not UTF-8
)
