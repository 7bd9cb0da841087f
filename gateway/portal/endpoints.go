package portal

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookloop/api"
	"hookloop/client"
	"hookloop/gateway/console"
)

// shown is how many entries a page lists; the next ones are a click away.
const shown = 25

// functions are what templates may call besides the console's.
var functions = template.FuncMap{
	"attempts": func(n int64) string {
		if n == 1 {
			return "1 attempt"
		}
		return strconv.FormatInt(n, 10) + " attempts"
	},
	"percent": func(share *float64) int { return int(*share*100 + 0.5) },
	"millis":  func(ms *float64) int { return int(*ms + 0.5) },
	"title":   titleOf,
	"minutes": func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") },
}

// titleOf is how people call an endpoint.
func titleOf(e api.Endpoint) string { return cmp.Or(e.Description, e.Host) }

// home is the list of an owner's endpoints, or the only one that a link is for.
func (p *Portal) home(v *visit) error {
	if !v.view.Home {
		v.r.SetPathValue("endpoint", v.view.Who.Endpoints[0])
		return p.endpoint(v)
	}
	found, err := v.api.Endpoints.List(api.EndpointQuery{PageQuery: v.page()}).Page().Do(v.r.Context())
	if err != nil {
		return err
	}
	v.view.Live = true
	return p.show(v, http.StatusOK, "home", "Your endpoints", pageOf(v, found))
}

// listPage is one page of a list.
type listPage[T any] struct {
	Entries []T
	Next    string // the address of the next page; empty: this is the last
}

func (v *visit) page() api.PageQuery {
	return api.PageQuery{Limit: shown, Cursor: v.r.URL.Query().Get("cursor")}
}

func pageOf[T any](v *visit, answer client.Page[T]) listPage[T] {
	p := listPage[T]{Entries: answer.Data}
	if answer.NextCursor != nil {
		query := v.r.URL.Query()
		query.Set("cursor", *answer.NextCursor)
		p.Next = v.r.URL.Path + "?" + query.Encode()
	}
	return p
}

// endpointPage is one endpoint, how it does, and what went there.
type endpointPage struct {
	Endpoint   api.Endpoint
	Path       string // where its pages begin
	Waiting    []api.Undelivered
	MoreWait   bool
	Attempts   listPage[api.AttemptItem]
	OnlyFailed bool
	Secret     string // empty: it is not shown
	MayResume  bool
}

func (p *Portal) endpoint(v *visit) error { return p.showEndpoint(v, "", "") }

// showEndpoint shows the endpoint and, right after a button, what became of it; secret is shown
// once.
func (p *Portal) showEndpoint(v *visit, said, secret string) error {
	id := v.r.PathValue("endpoint")
	e := endpointPage{Path: v.view.Base + "/endpoints/" + url.PathEscape(id), Secret: secret, OnlyFailed: v.r.URL.Query().Get("failed") == "true"}
	v.view.Here, v.view.Said = e.Path, said
	if e.OnlyFailed {
		v.view.Here += "?failed=true"
	}
	asks := []func(context.Context) error{func(ctx context.Context) (err error) {
		e.Endpoint, err = v.api.Endpoints.Get(id).Do(ctx)
		return err
	}}
	if v.view.Can(api.EventsRead) {
		asks = append(asks, func(ctx context.Context) error {
			found, err := v.api.Endpoints.Attempts(id, api.AttemptQuery{Failed: e.OnlyFailed, PageQuery: v.page()}).Page().Do(ctx)
			e.Attempts = pageOf(v, found)
			if e.Attempts.Next != "" {
				e.Attempts.Next = e.Path + strings.TrimPrefix(e.Attempts.Next, v.r.URL.Path)
			}
			return err
		}, func(ctx context.Context) error {
			found, err := v.api.Undelivered(api.UndeliveredQuery{Endpoint: id, Limit: 10}).Page().Do(ctx)
			e.Waiting, e.MoreWait = found.Data, found.NextCursor != nil
			return err
		})
	}
	if err := console.Together(v.r.Context(), asks...); err != nil {
		return err
	}
	e.MayResume = e.Endpoint.State == api.EndpointPaused && strings.HasPrefix(e.Endpoint.StateReason, "paused by portal:")
	v.view.Live = secret == "" && v.r.URL.Query().Get("cursor") == ""
	return p.show(v, http.StatusOK, "endpoint", titleOf(e.Endpoint), e)
}

// sentences are what a page says of the button that was pressed.
var sentences = map[string]string{
	"test":   "A test event is on its way.",
	"pause":  "Paused. What comes meanwhile is kept, and sent once you resume.",
	"resume": "Resumed. What waited is on its way, the oldest first.",
	"reveal": "The secret is shown below. That it was shown is noted.",
	"rotate": "There is a new secret, shown below. Put it into your program before the old one stops signing.",
	"resend": "Sent again.",
	"retry":  "The next attempt is made now.",
}

// maxForm bounds what is read of a form, in bytes.
const maxForm = 16 << 10

var errForm = &client.Error{Problem: api.Problem{Status: http.StatusBadRequest, Code: api.BadJSON, Detail: "This form cannot be read."}}

// actOnEndpoint does what a button of an endpoint says.
func (p *Portal) actOnEndpoint(v *visit) error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if v.r.ParseForm() != nil {
		return errForm
	}
	id, act, ctx := v.r.PathValue("endpoint"), v.r.PathValue("act"), v.r.Context()
	var secret api.Secret
	var err error
	switch act {
	case "test":
		_, err = v.api.Endpoints.Test(id).Do(ctx)
	case "pause":
		_, err = v.api.Endpoints.Pause(id, api.Instruction{Reason: v.r.PostFormValue("reason")}).Do(ctx)
	case "resume":
		_, err = v.api.Endpoints.Resume(id, api.Release{}).Do(ctx)
	case "reveal":
		secret, err = v.api.Endpoints.Secret(id).Do(ctx)
	case "rotate":
		secret, err = p.rotate(ctx, v, id)
	default:
		return p.nothing(v)
	}
	if err != nil {
		return err
	}
	return p.showEndpoint(v, sentences[act], secret.Secret)
}

// overlaps are how long the old secret may go on signing.
var overlaps = []string{"0s", "1h", "24h", "168h"}

func (p *Portal) rotate(ctx context.Context, v *visit, id string) (api.Secret, error) {
	overlap := v.r.PostFormValue("overlap")
	if !slices.Contains(overlaps, overlap) {
		return api.Secret{}, errForm
	}
	d, err := time.ParseDuration(overlap)
	if err != nil {
		return api.Secret{}, err
	}
	return v.api.Endpoints.RotateSecret(id, api.SecretRotation{Overlap: (*api.Duration)(&d)}).Do(ctx)
}
