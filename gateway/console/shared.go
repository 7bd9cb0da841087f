package console

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"sync"
	"time"

	"hookloop/client"
)

// Words are what templates of other pages of ours may call, too: one way to say a time, a state or
// an answer.
func Words(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"when":     func(t any) template.HTML { return when(moment(t), now()) },
		"host":     host,
		"tone":     tone,
		"words":    words,
		"answered": answered,
		"duration": span,
	}
}

// Asset is one of the console's static files, by its name.
func Asset(name string) ([]byte, error) { return files.ReadFile("static/" + name) }

// Ask is the API as a token sees it, without a network between. An answer that is "not now" is
// shown at once: a person presses again.
func Ask(api http.Handler, host, tenant, token, agent string) (*client.Client, error) {
	return client.New(client.Config{
		URL: "http://" + host, Tenant: tenant, Token: token, UserAgent: agent, Attempts: 1,
		HTTP: &http.Client{Transport: inProcess{api}, Timeout: client.Timeout}, //nolint:forbidigo // it dials nothing
	})
}

// Together asks several things at once. Its error joins theirs, in the order of the questions.
func Together(ctx context.Context, asks ...func(context.Context) error) error {
	errs := make([]error, len(asks))
	var all sync.WaitGroup
	for i, ask := range asks {
		all.Go(func() { errs[i] = ask(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}
