package bench

import (
	"slices"
	"time"
)

// busiest is the most arrivals in any one second from a time on.
func busiest(all []arrival, from time.Time) (most int) {
	first := 0
	for i, a := range all {
		if a.at.Before(from) {
			first = i + 1
			continue
		}
		for a.at.Sub(all[first].at) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// orderly is the share of the events that came that are left once no more than necessary are taken
// out to have them in the order of acceptance.
func orderly(posts []post, came map[string]time.Time) float64 {
	byAcceptance := slices.SortedFunc(slices.Values(posts), func(a, b post) int { return a.answered.Compare(b.answered) })
	var at []time.Time
	for _, p := range byAcceptance {
		if t, ok := came[p.id]; ok {
			at = append(at, t)
		}
	}
	return ratio(float64(InOrder(at)), float64(len(at)))
}

// InOrder is how many are left once no more than necessary are taken out to have them sorted.
func InOrder(times []time.Time) int {
	var ends []time.Time // the earliest end of a sorted choice of each length
	for _, t := range times {
		i, _ := slices.BinarySearchFunc(ends, t, time.Time.Compare)
		if i == len(ends) {
			ends = append(ends, t)
		} else {
			ends[i] = t
		}
	}
	return len(ends)
}
