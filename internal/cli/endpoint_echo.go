package cli

import (
	"encoding/json"
	"io"

	"github.com/spf13/pflag"

	"hookloop/internal/terminal"
)

// echoPaths say how an echo is recognised: two jq expressions, as flags and as the gateway tells of
// them.
type echoPaths struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func (p *echoPaths) register(f *pflag.FlagSet, over string) {
	f.StringVar(&p.Key, "echo-key", "", "`jq` over "+over+": which object it is about")
	f.StringVar(&p.Value, "echo-value", "", "`jq` over "+over+": the value that object has")
}

// field puts into all what the flags changed; the gateway takes both or neither.
func (p echoPaths) field(flags *pflag.FlagSet, all map[string]any) error {
	switch key, value := flags.Changed("echo-key"), flags.Changed("echo-value"); {
	case key != value:
		return terminal.Usage("--echo-key and --echo-value go together")
	case key:
		all["echo"] = p
	}
	return nil
}

func (p echoPaths) rows(w io.Writer) {
	terminal.Row(w, "echo", "key "+p.Key)
	terminal.Row(w, "echo", "value "+p.Value)
}

// echoFlags say which application is behind an endpoint, and what of its own comes back to it.
type echoFlags struct {
	application string
	back        bool
	paths       echoPaths
}

func (e *echoFlags) register(f *pflag.FlagSet) {
	f.StringVar(&e.application, "application", "", "the `name` of the application behind it: what sources of the same send is not delivered here")
	f.BoolVar(&e.back, "echo", false, "also what came from its own application")
	e.paths.register(f, "the envelope")
}

// field puts into all what the flags changed.
func (e *echoFlags) field(flags *pflag.FlagSet, all map[string]any) error {
	if flags.Changed("application") {
		all["application"] = e.application
	}
	if err := e.paths.field(flags, all); err != nil {
		return err
	}
	if flags.Changed("echo") {
		if all["echo"] != nil {
			return terminal.Usage("give --echo or --echo-key with --echo-value, not both")
		}
		all["echo"] = e.back
	}
	return nil
}

// echoView is what the gateway tells of an endpoint's echo: true, or how one is recognised.
type echoView struct {
	echoPaths

	back bool
}

func (e *echoView) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &e.back) == nil {
		return nil
	}
	return json.Unmarshal(b, &e.echoPaths)
}

func (e echoView) rows(w io.Writer) {
	if e.back {
		terminal.Row(w, "echo", "also what came from its own application")
		return
	}
	e.echoPaths.rows(w)
}

// requestShape is what an endpoint wants instead of the envelope, as flags and as the gateway tells of
// it.
type requestShape struct {
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Body   string `json:"body,omitempty"`
}

func (r *requestShape) register(f *pflag.FlagSet) {
	f.StringVar(&r.Method, "request-method", "", "POST, PUT, PATCH or DELETE; POST, if not given")
	f.StringVar(&r.Path, "request-path", "", "`jq` over the envelope: a list of segments to add to the URL's path")
	f.StringVar(&r.Body, "request-body", "", "`jq` over the envelope: the JSON to send in its place")
}

// field puts into all what the flags changed; the gateway replaces the shape there is.
func (r requestShape) field(flags *pflag.FlagSet, all map[string]any) {
	if flags.Changed("request-method") || flags.Changed("request-path") || flags.Changed("request-body") {
		all["request"] = r
	}
}

func (r requestShape) rows(w io.Writer) {
	for _, part := range [][2]string{{"method", r.Method}, {"path", r.Path}, {"body", r.Body}} {
		if part[1] != "" {
			terminal.Row(w, "request", part[0]+" "+part[1])
		}
	}
}
