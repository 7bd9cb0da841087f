package gateway

import (
	"encoding/json"
	"time"

	"hookloop/internal/webhook"
)

// The pace of a recovery, in deliveries a second.
const (
	defaultRate = 10
	minRate     = 0.1
	maxRate     = 1000
)

// recoveryOrder is what to recover, and how.
type recoveryOrder struct {
	since, until time.Time
	dryRun       bool
	unmatched    bool
	rate         float64
}

// parseRecovery reads {"since", "until"?, "unmatched"?, "dry_run"?, "rate_per_second"?}; null stands for the
// default.
func parseRecovery(body []byte, now time.Time) (recoveryOrder, error) {
	order := recoveryOrder{until: now.Truncate(time.Millisecond), rate: defaultRate}
	all, err := fields(body)
	if err != nil {
		return order, err
	}
	for _, f := range all {
		if err := order.set(f, now); err != nil {
			return order, err
		}
	}
	switch {
	case order.since.IsZero():
		return order, webhook.Invalidf("since", "is required")
	case !order.since.Before(order.until):
		return order, webhook.Invalidf("since", "must lie before until, which is now if not given")
	case order.rate < minRate || order.rate > maxRate:
		return order, webhook.Invalidf("rate_per_second", "must lie between %v and %v", minRate, maxRate)
	}
	return order, nil
}

func (o *recoveryOrder) set(f field, now time.Time) error {
	switch f.name {
	case "since":
		return setTime(&o.since, f, now)
	case "until":
		return setTime(&o.until, f, now)
	case "unmatched":
		return setFlag(&o.unmatched, f)
	case "dry_run":
		return setFlag(&o.dryRun, f)
	case "rate_per_second":
		if json.Unmarshal(f.value, &o.rate) != nil {
			return webhook.Invalidf("rate_per_second", "must be a number")
		}
	default:
		return webhook.Invalidf(f.name, "is not a field of a recovery (since, until, unmatched, dry_run, rate_per_second)")
	}
	return nil
}

func setFlag(flag *bool, f field) error {
	if json.Unmarshal(f.value, flag) != nil {
		return webhook.Invalidf(f.name, "must be true or false")
	}
	return nil
}

func setTime(t *time.Time, f field, now time.Time) error {
	if f.isNull() {
		return nil
	}
	var text string
	if json.Unmarshal(f.value, &text) != nil || text == "" {
		return webhook.Invalidf(f.name, "%s", webhook.MomentForms)
	}
	var err error
	*t, err = moment(f.name, text, now)
	return err
}
