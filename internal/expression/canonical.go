package expression

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
)

// canonical makes one value of all that JSON may write it as, however it is spaced, ordered or
// escaped, and whether a number is written 1.10 or 1.1. Its hash is remembered for a day, so a
// change to it costs one day's echoes. The value must be known to be small.
func canonical(v any) any {
	switch v := v.(type) {
	case map[string]any:
		all := make(map[string]any, len(v))
		for name, member := range v {
			all[name] = canonical(member)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, element := range v {
			all[i] = canonical(element)
		}
		return all
	case json.Number:
		return number(v.String())
	case float64:
		return number(strconv.FormatFloat(v, 'g', -1, 64))
	case int:
		return number(strconv.Itoa(v))
	}
	return v
}

// number keeps an integer exactly and gives everything else the precision of a double, which is all
// that most who read JSON keep. A whole double is an integer: 1e2 is 100, and -0 is 0.
func number(text string) any {
	if n, ok := new(big.Int).SetString(text, 10); ok {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return text
	}
	if f == math.Trunc(f) {
		n, _ := big.NewFloat(f).Int(nil)
		return n
	}
	return f
}
