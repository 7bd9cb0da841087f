package config

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// A setting stands once, as a field of a struct with tags: env is the variable's name, envDefault
// its default, doc what it is for. secret says that its value is never shown.

// Setting is a variable of the environment as it stands, for people.
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"` // a secret is ***
	Default bool   `json:"default,omitempty"`
	About   string `json:"about"`
}

// Settings lists every variable that Hookloop reads itself, with its effective value.
func Settings(lookup Env) []Setting {
	var all []Setting
	for _, f := range fieldsOf(reflect.TypeFor[Service]()) {
		value, isSet := lookup(f.Tag.Get("env")), true
		if value == "" {
			value, isSet = f.Tag.Get("envDefault"), false
		}
		all = append(all, Setting{Name: f.Tag.Get("env"), Value: shown(value, f.Tag.Get("secret") != ""), Default: !isSet, About: f.Tag.Get("doc")})
	}
	return all
}

// Names lists the variables.
func Names() []string {
	var all []string
	for _, f := range fieldsOf(reflect.TypeFor[Service]()) {
		all = append(all, f.Tag.Get("env"))
	}
	return all
}

// fieldsOf finds the settings among the fields of a struct, and of the structs in it.
func fieldsOf(t reflect.Type) (all []reflect.StructField) {
	for f := range t.Fields() {
		switch {
		case f.Tag.Get("env") != "":
			all = append(all, f)
		case f.Type.Kind() == reflect.Struct:
			all = append(all, fieldsOf(f.Type)...)
		}
	}
	return all
}

// read fills the settings of a struct. Its errors name the variables and never quote a value.
func read(lookup Env, into any) error {
	names, given := map[string]string{}, map[string]string{}
	for _, f := range fieldsOf(reflect.TypeOf(into).Elem()) {
		name := f.Tag.Get("env")
		names[f.Name], given[name] = name, lookup(name)
	}
	err := env.ParseWithOptions(into, env.Options{Environment: given})
	all, several := errors.AsType[env.AggregateError](err)
	if !several {
		return err
	}
	var problems []error
	for _, err := range all.Errors {
		if p, ok := errors.AsType[env.ParseError](err); ok {
			err = fmt.Errorf("%s %w", names[p.Name], p.Err)
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// harmless are the parameters of a registry's URL that say how to connect, and nothing about who.
var harmless = []string{
	"sslmode", "sslrootcert", "sslcert", "sslkey", "sslsni", "connect_timeout", "application_name", "search_path", "target_session_attrs", "host", "port",
}

// shown hides a secret, the password of a URL and what stands in its query: keys do.
func shown(value string, secret bool) string {
	switch {
	case value == "":
		return ""
	case secret, keywords.MatchString(value):
		return "***"
	case !strings.Contains(value, "://"):
		return value
	}
	u, err := url.Parse(value)
	if err != nil {
		return "***"
	}
	query := u.Query()
	for name := range query {
		if !slices.Contains(harmless, name) {
			query.Set(name, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}
