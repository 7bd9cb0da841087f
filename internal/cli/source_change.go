package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookloop/api"
	"hookloop/internal/terminal"
)

// sourceFlags are the fields of a source as flags. Only what was given is sent.
type sourceFlags struct {
	name        string
	typePrefix  string
	application string
	echo        api.EchoPaths
	config      configFlags
	clear       []string
}

func (s *sourceFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.name, "name", "", "for people")
	f.StringVar(&s.typePrefix, "type-prefix", "", "what the types of its events begin with; the provider's name, if not given")
	f.StringVar(&s.application, "application", "", "the `name` of the application that sends: endpoints of the same do not get what it sent")
	registerEcho(&s.echo, f, "the data of an event")
	s.config.register(f)
}

// change is what the flags changed but for the config, and what --clear names.
func (s *sourceFlags) change(flags *pflag.FlagSet) (c api.SourceChange, err error) {
	put(flags, "name", &c.Name, s.name)
	put(flags, "type-prefix", &c.TypePrefix, s.typePrefix)
	put(flags, "application", &c.Application, s.application)
	echo, err := echoGiven(flags)
	if err != nil {
		return c, err
	}
	if echo {
		c.Echo = api.To(s.echo)
	}
	for _, name := range s.clear {
		if err := clearableOfSource.clear(&c, name); err != nil {
			return c, err
		}
	}
	return c, nil
}

func newSourceCreate(o *options) *cobra.Command {
	var s sourceFlags
	var provider, key string
	c := &cobra.Command{
		Use:   "create",
		Short: "Create a source, and get the URL to tell the third party",
		Long: `Create a source, and show the URL to tell the third party.

Its config says how the provider proves that a request is theirs. --secret-file, or --secret, fills the
list "secrets" that most have; --config and --config-file give the rest, as JSON. These are the
providers, and what their config holds; docs/sources.md tells more:

` + providersHelp() + `
Stripe, PayPal and others give a secret or an id only for a URL that exists: create the source
with a random text in its place, and put the true one there with 'hookloop source update'.

Its events are not delivered to endpoints of the same --application, unless with their --echo. With
--echo-key and --echo-value it is seen when the application only reports what a delivery had brought it:
such an echo is not delivered. See 'hookloop endpoint create --help' for the other side.`,
		Example: `  hookloop source create --provider github --name code --secret-file github.secret
  openssl rand -hex 32 | hookloop source create --provider stripe --type-prefix payments --secret-file -
  hookloop source create --provider meta --secret-file app.secret --config-file verify_token.json
  hookloop source create --provider hmac --secret-file shop.secret --config '{"header": "X-Signature",
      "algorithm": "sha256", "encoding": "hex", "type_path": "event", "id_path": "data.id"}'
  hookloop source create --provider mautic --secret-file mautic.secret --application crm \
      --echo-key .contact.id --echo-value '.contact.fields.core | {email: .email.value}'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runSourceCreate(c, o, provider, s, key) },
	}
	c.Flags().StringVar(&key, "key", "", keyUsage)
	c.Flags().StringVar(&provider, "provider", "", "whose protocol the third party speaks, one of the `names` above")
	s.register(c.Flags())
	return c
}

func runSourceCreate(c *cobra.Command, o *options, provider string, s sourceFlags, key string) error {
	if provider == "" {
		return terminal.Usage("--provider is required; see %s --help", c.CommandPath())
	}
	if s.config.change(c.Flags()) == configKept {
		return terminal.Usage("a config is required, by --secret-file, --config or --config-file; see %s --help", c.CommandPath())
	}
	n := api.NewSource{Provider: api.Provider(provider), Name: s.name, TypePrefix: s.typePrefix, Application: s.application, Echo: s.echo}
	if _, err := echoGiven(c.Flags()); err != nil {
		return err
	}
	var err error
	if n.Config, err = s.config.read(c); err != nil {
		return err
	}
	g, err := o.connect(c)
	if err != nil {
		return err
	}
	return show(g, keyed(g.Sources.Create(n), key), showNewSource)
}

func newSourceUpdate(o *options) *cobra.Command {
	var s sourceFlags
	c := &cobra.Command{
		Use:   "update ID",
		Short: "Change a source",
		Long: `Change a source. What no flag names stays; --clear goes back to the default. The provider stays too: for
another one create another source.

--secret-file and --secret replace the whole list of secrets, and leave the rest of the config alone.
--config and --config-file replace the whole config, secrets included.

To change a secret without losing a request, list the new one beside the old one, change it at the third
party, and then list the new one alone. Keep the old one until then: the gateway does not show it.`,
		Example: `  hookloop source update src_01jzc8k0a2n4p6r8s0t2v4w6x8 --secret-file new.secret --secret-file old.secret   # rotating
  hookloop source update src_01jzc8k0a2n4p6r8s0t2v4w6x8 --secret-file new.secret                            # rotated
  hookloop source update src_01jzc8k0a2n4p6r8s0t2v4w6x8 --config '{"webhook_id": "1JE4291016473214C"}'
  hookloop source update src_01jzc8k0a2n4p6r8s0t2v4w6x8 --name 'the shop' --clear echo --clear application`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runSourceUpdate(c, o, args[0], s) },
	}
	s.register(c.Flags())
	c.Flags().StringArrayVar(&s.clear, "clear", nil, "`field` to set back, repeatable: "+clearableOfSource.String())
	return c
}

func runSourceUpdate(c *cobra.Command, o *options, id string, s sourceFlags) error {
	change, err := s.change(c.Flags())
	if err != nil {
		return err
	}
	how := s.config.change(c.Flags())
	if change == (api.SourceChange{}) && how == configKept {
		return terminal.Usage("there is nothing to change; see %s --help", c.CommandPath())
	}
	config, err := s.config.read(c)
	if err != nil {
		return err
	}
	g, err := o.connect(c)
	if err != nil {
		return err
	}
	if how == configSecrets {
		if err := keepRest(g, id, config); err != nil {
			return err
		}
	}
	if how != configKept {
		change.Config = api.To(config)
	}
	return show(g, g.Sources.Update(id, change), showSource)
}
