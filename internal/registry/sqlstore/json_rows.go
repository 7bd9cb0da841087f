package sqlstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// field is a column of rows that travel to a database as one JSON list of lists: a statement is the
// same for any number of rows, and one round trip.
type field struct {
	name string
	kind string // TEXT or BIGINT
}

func texts(names ...string) []field { return fieldsOf("TEXT", names) }
func ints(names ...string) []field  { return fieldsOf("BIGINT", names) }

func fieldsOf(kind string, names []string) (all []field) {
	for _, name := range names {
		all = append(all, field{name, kind})
	}
	return all
}

// jsonRows writes statements that read such rows.
type jsonRows struct {
	dialect Dialect
	table   string
	key     []field // they come first
	rest    []field
}

func (j jsonRows) fields() []field { return append(append([]field{}, j.key...), j.rest...) }

func namesOf(prefix string, fields []field) string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = prefix + f.name
	}
	return strings.Join(all, ", ")
}

// value is the i-th field of a row.
func (j jsonRows) value(i int) string {
	return "CAST(item.value ->> " + strconv.Itoa(i) + " AS " + j.fields()[i].kind + ")"
}

// upsert writes the rows in $1. set gives the value of a column in a row that is there already as
// was.
func (j jsonRows) upsert(set func(column string) string) string {
	var values, sets []string
	for i := range j.fields() {
		values = append(values, j.value(i))
	}
	for _, f := range j.rest {
		sets = append(sets, f.name+" = "+set(f.name))
	}
	return fmt.Sprintf(`INSERT INTO %s AS was (%s) SELECT %s FROM %s WHERE true ON CONFLICT (%s) DO UPDATE SET %s`,
		j.table, namesOf("", j.fields()), strings.Join(values, ", "), j.dialect.JSONList("$1"), namesOf("", j.key), strings.Join(sets, ", "))
}

// existing reads the rows whose keys are in $1.
func (j jsonRows) existing() string {
	var same []string
	for i, f := range j.key {
		same = append(same, "was."+f.name+" = "+j.value(i))
	}
	return fmt.Sprintf(`SELECT %s FROM %s CROSS JOIN %s AS was WHERE %s`,
		namesOf("was.", j.fields()), j.dialect.JSONList("$1"), j.table, strings.Join(same, " AND "))
}

// replaced takes the new value, added the sum of both.
func replaced(column string) string { return "excluded." + column }
func added(column string) string    { return "was." + column + " + excluded." + column }

// jsonList is a parameter of rows. Texts and numbers always marshal.
func jsonList(rows [][]any) string {
	text, _ := json.Marshal(rows)
	return string(text)
}
