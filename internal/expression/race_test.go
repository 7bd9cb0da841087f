//go:build race

package expression_test

// raced: the race detector takes memory of its own.
const raced = true
