package console

import (
	"fmt"
	"strings"

	"hookloop/api"
)

// perMinute is how many events were delivered a minute.
func perMinute(s api.Traffic) string {
	if s.Attempts == 0 {
		return "0"
	}
	return rate(s.PerMinute * float64(s.Took) / float64(s.Attempts))
}

// rate is how many there are a minute.
func rate(n float64) string {
	if n >= 10 || n == 0 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.2g", n)
}

// share is a part of the whole, in per cent.
func share(of *float64) string {
	switch {
	case of == nil:
		return "–"
	case *of > 0.999 && *of < 1:
		return "99.9 %" // not all of it
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", 100**of), ".0") + " %"
}

// shareTone is the colour of a share of successes.
func shareTone(of *float64) string {
	switch {
	case of == nil:
		return "off"
	case *of >= 0.99:
		return "good"
	case *of >= 0.9:
		return "wait"
	}
	return "bad"
}

// millis is a duration of some milliseconds.
func millis(of *float64) string {
	switch {
	case of == nil:
		return "–"
	case *of >= 1000:
		return fmt.Sprintf("%.1f s", *of/1000)
	}
	return fmt.Sprintf("%.0f ms", *of)
}

// count is a number, or that it is not known.
func count(of *int) string {
	if of == nil {
		return "–"
	}
	return fmt.Sprint(*of)
}

// deliveries counts them.
func deliveries(n any) string {
	if p, is := n.(*int); is {
		n = *p
	}
	if said := fmt.Sprint(n); said != "1" {
		return said + " deliveries"
	}
	return "1 delivery"
}

// nameAny is nameOr for templates.
func nameAny(n any, id string) string {
	switch n := n.(type) {
	case api.EndpointName:
		return nameOr(&n, id)
	case *api.EndpointName:
		return nameOr(n, id)
	}
	return id
}

// nameOr is how people call an endpoint; one that was deleted has its id alone.
func nameOr(n *api.EndpointName, id string) string {
	switch {
	case n == nil:
		return id
	case n.Description != "":
		return n.Description
	}
	return n.Host
}

// hostOf is the host of an endpoint's URL.
func hostOf(n *api.EndpointName) string {
	if n == nil {
		return "deleted"
	}
	return n.Host
}
