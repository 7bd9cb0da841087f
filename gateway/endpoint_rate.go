package gateway

import (
	"encoding/json"
	"math"

	"hookloop/internal/webhook"
)

// rateLimit merges a change into the limit there is; null lifts it. The burst goes back to its
// default, one second's worth, when it is null or was never given.
func rateLimit(now webhook.RateLimit, f field) (webhook.RateLimit, error) {
	if f.isNull() {
		return webhook.RateLimit{}, nil
	}
	var change map[string]json.RawMessage
	if json.Unmarshal(f.value, &change) != nil {
		return now, webhook.Invalidf("rate_limit", `must be an object like {"per_second": 10, "burst": 20}`)
	}
	all, err := fields(f.value)
	if err != nil {
		return now, webhook.Invalidf("rate_limit", "names a field twice")
	}
	next, hasBurst := now, !now.IsZero()
	for _, part := range all {
		switch part.name {
		case "per_second":
			err = number(&next.PerSecond, part, "a number")
		case "burst":
			hasBurst = !part.isNull()
			err = number(&next.Burst, part, "a whole number")
		default:
			err = webhook.Invalidf("rate_limit."+part.name, "is not a field of a rate limit (per_second, burst)")
		}
		if err != nil {
			return now, err
		}
	}
	if _, given := change["per_second"]; !given && now.IsZero() {
		return now, webhook.Invalidf("rate_limit.per_second", "is required")
	}
	if !hasBurst {
		next.Burst = max(1, int(math.Ceil(min(next.PerSecond, math.MaxInt32))))
	}
	return next, next.Check()
}

func number[T int | float64](into *T, f field, what string) error {
	if json.Unmarshal(f.value, into) != nil {
		return webhook.Invalidf("rate_limit."+f.name, "must be %s", what)
	}
	if f.isNull() {
		*into = 0
	}
	return nil
}
