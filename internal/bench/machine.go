package bench

import (
	"os"
	"strconv"
	"strings"
)

// Machine is how busy the machine was with other things while something was measured. What is not
// known is -1: only Linux tells.
type Machine struct {
	LoadBefore float64 `json:"load_before"` // average of a minute
	LoadAfter  float64 `json:"load_after"`
	Steal      float64 `json:"steal_percent"` // of its CPU time, that the hypervisor gave to others
}

// look is the machine at one moment.
type look struct {
	load         float64
	steal, ticks float64 // since it started
}

func lookAt() look {
	l := look{load: -1, steal: -1}
	if content, err := os.ReadFile("/proc/loadavg"); err == nil {
		if f := strings.Fields(string(content)); len(f) > 0 {
			l.load, _ = strconv.ParseFloat(f[0], 64)
		}
	}
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return l
	}
	first, _, _ := strings.Cut(string(content), "\n")
	f := strings.Fields(first)
	if len(f) < 9 || f[0] != "cpu" {
		return l
	}
	for _, text := range f[1:9] { // user nice system idle iowait irq softirq steal; guests are in user
		n, _ := strconv.ParseFloat(text, 64)
		l.ticks += n
		l.steal = n
	}
	return l
}

func (l look) until(now look) Machine {
	m := Machine{LoadBefore: l.load, LoadAfter: now.load, Steal: -1}
	if now.ticks > l.ticks {
		m.Steal = 100 * (now.steal - l.steal) / (now.ticks - l.ticks)
	}
	return m
}

// Row is one of a table.
type Row = []string

// Beside adds to a row how busy the machine was with other things while it was measured.
func Beside(row func() (Row, error)) (Row, error) {
	before := lookAt()
	r, err := row()
	if err != nil {
		return nil, err
	}
	return append(r, before.until(lookAt()).String()), nil
}
