package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookloop/client"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

// configFlags put a source's config together.
type configFlags struct {
	secrets     []string
	secretFiles []string
	text        string
	file        string
}

func (f *configFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.secrets, "secret", nil, "a `secret` of the third party's, repeatable; --secret-file keeps it out of the process list")
	flags.StringArrayVar(&f.secretFiles, "secret-file", nil, "a `file` that holds a secret and nothing else, repeatable; - is standard input")
	flags.StringVar(&f.text, "config", "", "the config, or what is not a secret of it, as a `JSON` object")
	flags.StringVar(&f.file, "config-file", "", "a `file` with more of the config, secrets too; - is standard input")
}

// configChange says how much of a config the flags give.
type configChange int

const (
	configKept configChange = iota
	configSecrets
	configWhole
)

func (f *configFlags) change(flags *pflag.FlagSet) configChange {
	switch {
	case flags.Changed("config") || flags.Changed("config-file"):
		return configWhole
	case flags.Changed("secret") || flags.Changed("secret-file"):
		return configSecrets
	}
	return configKept
}

// read gives the members of the config. No error quotes what is in them.
func (f *configFlags) read(c *cobra.Command) (map[string]any, error) {
	stdin := slices.DeleteFunc(append(slices.Clone(f.secretFiles), f.file), func(name string) bool { return name != "-" })
	if len(stdin) > 1 {
		return nil, terminal.Usage("standard input can be read once only")
	}
	all := map[string]any{}
	if c.Flags().Changed("config") {
		if err := addMembers(all, "--config", []byte(f.text)); err != nil {
			return nil, err
		}
	}
	if c.Flags().Changed("config-file") {
		content, err := readFlagFile(c, "--config-file", f.file)
		if err != nil {
			return nil, err
		}
		if err := addMembers(all, "--config-file "+f.file, content); err != nil {
			return nil, err
		}
	}
	return all, f.addSecrets(c, all)
}

// addMembers refuses a member that is given twice: one of them would be lost.
func addMembers(all map[string]any, from string, object []byte) error {
	members, err := webhook.Members(object)
	if err != nil {
		return terminal.Usage("%s is not a JSON object", from)
	}
	for _, m := range members {
		if all[m.Name] != nil {
			return terminal.Usage("%s gives %q twice", from, m.Name)
		}
		all[m.Name] = m.Value
	}
	return nil
}

func (f *configFlags) addSecrets(c *cobra.Command, all map[string]any) error {
	secrets := slices.Clone(f.secrets)
	for _, name := range f.secretFiles {
		secret, err := readSecret(c, name)
		if err != nil {
			return err
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 {
		return nil
	}
	if all["secrets"] != nil {
		return terminal.Usage(`the config has "secrets" already: give them there, or by --secret-file and --secret`)
	}
	for _, s := range secrets {
		if !utf8.ValidString(s) { // JSON would hold another
			return terminal.Usage("a secret is not text")
		}
	}
	all["secrets"] = secrets
	return nil
}

// readSecret reads a --secret-file.
func readSecret(c *cobra.Command, name string) (string, error) {
	content, err := readFlagFile(c, "--secret-file", name)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(content))
	if secret == "" {
		return "", terminal.Usage("--secret-file %s is empty", name)
	}
	return secret, nil
}

func readFlagFile(c *cobra.Command, flag, name string) ([]byte, error) {
	r := c.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		defer func() { _ = file.Close() }()
		r = file
	}
	content, err := readBounded(c.Context(), r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, name, err)
	}
	return content, nil
}

// keepRest adds to new secrets what else the source's config holds, for the gateway replaces it as
// a whole. A secret outside the list cannot be kept: the gateway does not show it.
func keepRest(g *gateway, id string, config map[string]any) error {
	s, err := g.Sources.Get(id).Do(g.command.Context())
	if err != nil {
		return err
	}
	var now map[string]json.RawMessage
	if err := client.Decode(s.Config, &now); err != nil {
		return err
	}
	for name, value := range now {
		switch {
		case string(value) == `"***"` && now["secrets"] != nil:
			return terminal.Usage("the config of %s holds another secret, %s, which the gateway does not show: give the whole config, by --config-file", id, name)
		case name != "secrets":
			config[name] = value
		}
	}
	return nil
}
