package cli

import (
	"math"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"hookloop/internal/terminal"
)

// rateFlags are an endpoint's rate limit as flags.
type rateFlags struct {
	limit string
	burst int
}

func (r *rateFlags) register(f *pflag.FlagSet) {
	f.StringVar(&r.limit, "rate-limit", "", "attempts at most, like `10/s`, 90/m or 500/h")
	f.IntVar(&r.burst, "burst", 0, "attempts that may go at once after a silence; one second's worth, if not given")
}

// field puts into all what the flags changed.
func (r *rateFlags) field(flags *pflag.FlagSet, all map[string]any) error {
	limit := map[string]any{}
	if flags.Changed("rate-limit") {
		perSecond, err := parseRate(r.limit)
		if err != nil {
			return err
		}
		limit["per_second"] = perSecond
	}
	if flags.Changed("burst") {
		limit["burst"] = r.burst
	}
	if len(limit) > 0 {
		all["rate_limit"] = limit
	}
	return nil
}

// parseRate reads "10/s", or "10" for short, as a number a second.
func parseRate(s string) (float64, error) {
	number, unit, hasUnit := strings.Cut(s, "/")
	seconds, known := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	if !hasUnit {
		seconds, known = 1, true
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !known || math.IsNaN(n) || math.IsInf(n, 0) || n <= 0 {
		return 0, terminal.Usage("--rate-limit must be a number of attempts a second, minute or hour, like 10/s, 90/m or 500/h; %q is none", s)
	}
	return n / seconds, nil
}

// rateView is what the gateway tells of a rate limit.
type rateView struct {
	PerSecond float64 `json:"per_second"`
	Burst     int     `json:"burst"`
}

func (r rateView) String() string {
	return strconv.FormatFloat(r.PerSecond, 'g', 4, 64) + "/s, " + strconv.Itoa(r.Burst) + " at once"
}
