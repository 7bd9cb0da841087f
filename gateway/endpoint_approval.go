package gateway

import (
	"time"

	"hookloop/internal/webhook"
)

// endpointApproval is a webhook.ApprovalPolicy as the API shows it.
type endpointApproval struct {
	After   string `json:"after" doc:"Of failing until the endpoint is held and people are asked." example:"1h"`
	Timeout string `json:"timeout" doc:"Of asking until the endpoint is rejected for want of an answer." example:"168h"`
}

func showApproval(p webhook.ApprovalPolicy) endpointApproval {
	return endpointApproval{After: duration(p.AfterOrDefault()), Timeout: duration(p.TimeoutOrDefault())}
}

// approvalPolicy merges a change into the policy there is; null goes back to the default, of the
// whole or of a half.
func approvalPolicy(now webhook.ApprovalPolicy, f field) (webhook.ApprovalPolicy, error) {
	if f.isNull() {
		return webhook.ApprovalPolicy{}, nil
	}
	if f.value[0] != '{' {
		return now, webhook.Invalidf("approval", `must be an object like {"after": "1h", "timeout": "168h"}`)
	}
	all, err := fields(f.value)
	if err != nil {
		return now, webhook.Invalidf("approval", "names a field twice")
	}
	next := now
	for _, part := range all {
		switch part.name {
		case "after":
			next.After, err = approvalTime(part)
		case "timeout":
			next.Timeout, err = approvalTime(part)
		default:
			err = webhook.Invalidf("approval."+part.name, "is not a field of an approval policy (after, timeout)")
		}
		if err != nil {
			return now, err
		}
	}
	return next, nil
}

func approvalTime(f field) (time.Duration, error) {
	if f.isNull() {
		return 0, nil
	}
	name := "approval." + f.name
	d, err := parseDuration(name, f.value)
	if err != nil {
		return 0, err
	}
	if d < webhook.MinApproval || d > webhook.MaxApproval {
		return 0, webhook.Invalidf(name, "must lie between %q and %q", duration(webhook.MinApproval), duration(webhook.MaxApproval))
	}
	return d, nil
}
