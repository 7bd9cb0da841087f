package console

import (
	"fmt"
	"net/http"
	"time"

	"hookloop/api"
)

// chart is a picture of a time, in bars of one or more parts. It is drawn in a box that is as many
// units wide as there are bars, and high hundred; the page stretches it.
type chart struct {
	ID     string
	Title  string
	Says   string // the picture in words
	Most   string // what the highest bar stands for
	Legend []legend
	Wide   int
	Bars   []bar
	Ticks  []string // times along the axis, evenly spread
}

type legend struct{ Tone, Name string }

// bar is what a bucket came to, from the bottom up.
type bar struct {
	X     float64
	Parts []barPart
	Says  string
}

type barPart struct {
	Y, High float64
	Tone    string
}

// barWidth leaves a gap between bars; its unit is a bucket.
const barWidth = 0.84

// charts are pictures of what attempts came to and how long they took.
func charts(p api.StatsPeriod, buckets []api.StatsBucket) []chart {
	if len(buckets) == 0 {
		return nil
	}
	return []chart{outcomeChart(p, buckets), latencyChart(p, buckets)}
}

func outcomeChart(p api.StatsPeriod, buckets []api.StatsBucket) chart {
	c := newChart("attempts", "Attempts", p)
	c.Legend = []legend{{"good", "taken"}, {"wait", "refused"}, {"bad", "failed"}}
	var most int64
	var all api.Traffic
	for _, b := range buckets {
		most = max(most, b.Attempts)
		all.Attempts, all.Took, all.Fails, all.Refuses = all.Attempts+b.Attempts, all.Took+b.Took, all.Fails+b.Fails, all.Refuses+b.Refuses
	}
	each := unitOf(p)
	c.Most = fmt.Sprintf("%d in %s", most, each)
	c.Says = fmt.Sprintf("%d attempts: %d taken, %d refused, %d failed. At most %d in %s.", all.Attempts, all.Took, all.Refuses, all.Fails, most, each)
	for _, b := range buckets {
		c.add(p, b.At, float64(most), []float64{float64(b.Took), float64(b.Refuses), float64(b.Fails)},
			fmt.Sprintf("%d taken, %d refused, %d failed", b.Took, b.Refuses, b.Fails))
	}
	return c
}

func latencyChart(p api.StatsPeriod, buckets []api.StatsBucket) chart {
	c := newChart("latency", "How long attempts took", p)
	c.Legend = []legend{{"strong", "half at most (p50)"}, {"faint", "95 % at most (p95)"}}
	var most float64
	for _, b := range buckets {
		most = max(most, value(b.P95MS))
	}
	c.Most = millis(&most)
	c.Says = fmt.Sprintf("The highest p95 of %s is %s.", unitOf(p), millis(&most))
	for _, b := range buckets {
		half, most95 := value(b.P50MS), value(b.P95MS)
		c.add(p, b.At, most, []float64{half, most95 - half}, fmt.Sprintf("p50 %s, p95 %s", millis(b.P50MS), millis(b.P95MS)))
	}
	return c
}

func newChart(id, title string, p api.StatsPeriod) chart {
	span, bucket := p.Until.Sub(p.Since), time.Duration(p.Bucket)
	c := chart{ID: id, Title: title, Wide: max(1, int((span+bucket-1)/bucket))}
	for i := range 4 {
		c.Ticks = append(c.Ticks, clock(p.Since.Add(span*time.Duration(i)/3), span))
	}
	return c
}

// add draws a bucket; parts stand on one another, in the order of the legend.
func (c *chart) add(p api.StatsPeriod, at time.Time, most float64, parts []float64, says string) {
	b := bar{X: float64(at.Sub(p.Since))/float64(p.Bucket) + (1-barWidth)/2, Says: clock(at, p.Until.Sub(p.Since)) + " " + says}
	top := 100.0
	for i, n := range parts {
		if n <= 0 || most <= 0 {
			continue
		}
		high := max(100*n/most, 1.5) // a single one among thousands is seen
		top = max(top-high, 0)
		b.Parts = append(b.Parts, barPart{Y: top, High: high, Tone: c.Legend[i].Tone})
	}
	c.Bars = append(c.Bars, b)
}

// BarWidth is how wide a bar is, in the chart's units.
func (chart) BarWidth() float64 { return barWidth }

// clock is a time on an axis, in UTC as all times are.
func clock(t time.Time, span time.Duration) string {
	if span > 36*time.Hour {
		return t.UTC().Format("2 Jan 15:04")
	}
	return t.UTC().Format("15:04")
}

func unitOf(p api.StatsPeriod) string {
	if time.Duration(p.Bucket) == time.Hour {
		return "an hour"
	}
	return "a minute"
}

func value(of *float64) float64 {
	if of == nil {
		return 0
	}
	return *of
}

// spans are the times that pages offer figures of.
var spans = []struct{ Since, Name string }{{"1h", "hour"}, {"24h", "day"}, {"168h", "week"}}

// sinceOf is how far back a page looks.
func sinceOf(r *http.Request, usual string) string {
	for _, s := range spans {
		if s.Since == r.URL.Query().Get("since") {
			return s.Since
		}
	}
	return usual
}
