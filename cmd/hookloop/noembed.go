//go:build noembed

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// What needs the embedded engine, in a binary that was built without it: for production, where
// Temporal is a server of its own and the image holds only what is used.

func newDev() *cobra.Command {
	return newNotBuilt("dev", "Run everything in one process (not in this binary)")
}

func newBench() *cobra.Command {
	return newNotBuilt("bench", "Measure this machine (not in this binary)")
}

// newNotBuilt takes every flag, and says what is missing.
func newNotBuilt(name, short string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("this binary was built without the embedded Temporal (-tags noembed), and %s needs it", name)
		},
	}
}
