package cli

import (
	"time"

	"github.com/spf13/pflag"

	"hookloop/internal/webhook"
)

// approvalFlags are an endpoint's approval policy as flags.
type approvalFlags struct{ after, timeout time.Duration }

func (a *approvalFlags) register(f *pflag.FlagSet) {
	f.DurationVar(&a.after, "approval-after", webhook.DefaultApprovalAfter, "how long it may fail before it is held and a person decides")
	f.DurationVar(&a.timeout, "approval-timeout", webhook.DefaultApprovalTimeout, "how long people have to decide; then it is rejected")
}

// field puts into all what the flags changed; the gateway merges it into the policy there is.
func (a *approvalFlags) field(flags *pflag.FlagSet, all map[string]any) {
	policy := map[string]any{}
	if flags.Changed("approval-after") {
		policy["after"] = a.after.String()
	}
	if flags.Changed("approval-timeout") {
		policy["timeout"] = a.timeout.String()
	}
	if len(policy) > 0 {
		all["approval"] = policy
	}
}

// approvalPolicy is what the gateway tells of an approval policy.
type approvalPolicy struct {
	After   string `json:"after"`
	Timeout string `json:"timeout"`
}

func (a approvalPolicy) String() string {
	return "asked for after failing for " + a.After + ", rejected after " + a.Timeout + " without an answer"
}
