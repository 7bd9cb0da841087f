package portal

import (
	"fmt"
	"html/template"
	"math"
	"regexp"
	"strconv"
	"strings"

	"hookloop/gateway/console"
	"hookloop/internal/webhook"
)

// palette has the console's colours by the names of its CSS variables, light and dark.
var palette = func() (p struct{ light, dark map[string]string }) {
	css, _ := console.Asset("console.css")
	for i, block := range rootBlock.FindAllSubmatch(css, 2) {
		colours := map[string]string{}
		for _, v := range variable.FindAllSubmatch(block[1], -1) {
			colours[string(v[1])] = full(string(v[2]))
		}
		if i == 0 {
			p.light = colours
		} else {
			p.dark = colours
		}
	}
	return p
}()

var (
	rootBlock = regexp.MustCompile(`:root\{([^}]*)\}`)
	variable  = regexp.MustCompile(`--([a-z]+):(#[0-9a-f]{3,6})`)
	colour    = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
)

// full writes #fff as #ffffff.
func full(c string) string {
	if len(c) == 4 {
		return "#" + strings.Repeat(c[1:2], 2) + strings.Repeat(c[2:3], 2) + strings.Repeat(c[3:], 2)
	}
	return c
}

// variables are the CSS variables that a theme sets.
func variables(c webhook.PortalColours) map[string]string {
	return map[string]string{"ink": c.Ink, "paper": c.Paper, "card": c.Card, "link": c.Accent}
}

// fieldOf is what a theme calls a variable.
var fieldOf = map[string]string{"ink": "ink", "paper": "paper", "card": "card", "link": "accent"}

// leastContrast is what WCAG 2 wants of text (level AA).
const leastContrast = 4.5

// CheckTheme refuses what is no colour, and colours in which text could not be read.
func CheckTheme(t webhook.PortalTheme) error {
	for _, scheme := range []struct {
		name string
		own  webhook.PortalColours
		base map[string]string
	}{{"light", t.Light, palette.light}, {"dark", t.Dark, palette.dark}} {
		if scheme.own == (webhook.PortalColours{}) {
			continue
		}
		own := variables(scheme.own)
		for name, c := range own {
			if c != "" && !colour.MatchString(c) {
				return webhook.Invalidf("theme."+scheme.name+"."+fieldOf[name], `must be a colour like "#1b1f24"`)
			}
		}
		if err := readable(scheme.name, own, scheme.base); err != nil {
			return err
		}
	}
	return nil
}

// readable looks at each colour of text on each that may be behind it.
func readable(scheme string, own, base map[string]string) error {
	of := func(name string) string {
		if own[name] != "" {
			return own[name]
		}
		return base[name]
	}
	for _, behind := range []string{"paper", "card"} {
		for _, text := range []string{"ink", "link", "soft", "good", "bad", "wait", "off"} {
			if got := contrast(of(text), of(behind)); got < leastContrast {
				blamed := behind
				if own[text] != "" {
					blamed = text
				}
				return webhook.Invalidf("theme."+scheme+"."+fieldOf[blamed], "leaves text that is hard to read: the contrast of %s to %s is %.1f, and must be %.1f at least",
					of(text), of(behind), got, leastContrast)
			}
		}
	}
	return nil
}

// contrast is the ratio of two colours, from 1 to 21 (WCAG 2.2, relative luminance).
func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c string) (sum float64) {
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, _ := strconv.ParseUint(c[1+2*i:3+2*i], 16, 8)
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

// schemeOf is what the page supports, as in <meta name="color-scheme">.
func schemeOf(t webhook.PortalTheme) string {
	if t.Scheme == "light" || t.Scheme == "dark" {
		return t.Scheme
	}
	return "light dark"
}

// styleOf is a theme in CSS. It writes names of ours, numbers and what is a colour, and nothing
// else of what it was given.
func styleOf(t webhook.PortalTheme) template.CSS {
	var b strings.Builder
	switch schemeOf(t) {
	case "light":
		b.WriteString(":root{" + declared(palette.light) + declared(variables(t.Light)) + "}")
	case "dark":
		b.WriteString(":root{" + declared(palette.dark) + declared(variables(t.Dark)) + "}")
	default:
		b.WriteString("@media (prefers-color-scheme:light){:root{" + declared(variables(t.Light)) + "}}")
		b.WriteString("@media (prefers-color-scheme:dark){:root{" + declared(variables(t.Dark)) + "}}")
	}
	if t.Radius != nil {
		fmt.Fprintf(&b, ":root{--radius:%dpx}", min(max(*t.Radius, 0), 24))
	}
	return template.CSS(b.String()) //nolint:gosec // colours and numbers alone
}

func declared(all map[string]string) string {
	var b strings.Builder
	for _, name := range []string{"ink", "soft", "paper", "card", "line", "link", "good", "bad", "wait", "off", "goodbg", "badbg", "waitbg", "offbg"} {
		if c := all[name]; colour.MatchString(c) {
			b.WriteString("--" + name + ":" + c + ";")
		}
	}
	return b.String()
}
