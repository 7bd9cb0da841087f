package cli

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/archive"
	"hookloop/internal/audit"
	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/terminal"
)

// ArchiveFiles are the commands about the files of an archive: they ask neither Temporal nor a
// registry. keys reads the codec of histories from a key file.
func ArchiveFiles(keys func(path string) (*codec.Codec, error)) []*cobra.Command {
	return []*cobra.Command{newArchiveShow(keys), newArchiveVerify(), newArchiveErase()}
}

func newArchiveShow(keys func(string) (*codec.Codec, error)) *cobra.Command {
	var asJSON, data bool
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "Print what an archived history says: who, what, when, which answer, who decided",
		Long: `Print the audit trail of an archived history. It asks neither Temporal nor the registry. Payloads that were kept
encrypted are opened with HOOKLOOP_HISTORY_KEY_FILE. The event's data is not in the trail: --data prints it, and
nothing else, byte for byte as it was accepted.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if asJSON && data {
				return terminal.Usage("--data prints the data as it is; leave --json out")
			}
			histories, err := keys(config.OS("HOOKLOOP_HISTORY_KEY_FILE"))
			if err != nil {
				return err
			}
			h, err := archive.Read(c.Context(), args[0], histories)
			if err != nil {
				return err
			}
			if data {
				content, err := archive.Data(h)
				if err == nil {
					_, err = c.OutOrStdout().Write(content)
				}
				return err
			}
			l := audit.NewTrail(h)
			if asJSON {
				return terminal.JSON(c.OutOrStdout(), l)
			}
			return showTrail(c.OutOrStdout(), l)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&data, "data", false, "print the event's data instead")
	return c
}

func showTrail(w io.Writer, l audit.Trail) error {
	if err := terminal.Say(w, "%s  %s\nrun   %s\nfrom  %s\nto    %s\n\n", l.Type, l.WorkflowID, l.RunID, terminal.UTC(l.Start), terminal.UTC(l.Close)); err != nil {
		return err
	}
	if err := showLines(w, l.Lines); err != nil || !l.Encrypted {
		return err
	}
	return terminal.Say(w, "\nSome of it is encrypted, with a key that is not in HOOKLOOP_HISTORY_KEY_FILE.\n")
}

func newArchiveVerify() *cobra.Command {
	var asJSON bool
	var public string
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Find out whether an archive is whole, and as it was signed",
		Long: `Compare every file of an archive with the hash that its index has, the records of the index with each other, and
where they end with what was signed: it says which file is missing or damaged, which record of the index was changed,
is missing, was added, moved or cut off, and exits with 1. Erased files are told of, and are no fault. Files that no
line names are counted: a run that was killed leaves them, and the next one takes them in.

Without --public-key the signature is left out: then who changed a file and its line together is not found.`,
		Example: "  hookloop archive verify /srv/archive --public-key audit.pub",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var key ed25519.PublicKey
			if public != "" {
				var err error
				if key, err = publicKey(public); err != nil {
					return err
				}
			}
			v, err := archive.Verify(c.Context(), args[0], key)
			if err != nil {
				return err
			}
			if err := showVerified(c.OutOrStdout(), v, asJSON); err != nil {
				return err
			}
			if n := len(v.Faults); n > 0 {
				return fmt.Errorf("it is not as it was written: %s", terminal.Count(n, "fault"))
			}
			return nil
		},
	}
	c.Flags().StringVar(&public, "public-key", "", "`file` with the public key, or the key itself")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func showVerified(w io.Writer, v archive.Verified, asJSON bool) error {
	if asJSON {
		return terminal.JSON(w, v)
	}
	t := terminal.Columns(w)
	for _, f := range v.Faults {
		terminal.Row(t, f.File, f.Problem)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if err := terminal.Say(w, "%s whole, %d erased, %d in no index\n", terminal.Count(v.Whole, "file"), v.Erased, v.Unindexed); err != nil {
		return err
	}
	if v.Head == "" {
		return terminal.Say(w, "the signature was not looked at: give --public-key\n")
	}
	return terminal.Say(w, "%s signed, head %s\n", terminal.Count(int(v.Records), "record"), v.Head)
}

// archiveErase says what goes from an archive: a file, or all files of an event.
type archiveErase struct {
	why                archive.Erasure
	event, tenant, key string
}

func newArchiveErase() *cobra.Command {
	var e archiveErase
	c := &cobra.Command{
		Use:   "erase DIR [FILE]",
		Short: "Take one file out of an archive, or all of an event, and say so in its index",
		Long: `Take one file out of an archive for good, or with --event all files of an event and of its deliveries: a person asked
for it. FILE is named as the index names it, within DIR. Its line stays (names and times, no data) beside one that
says when, by whom and why it was erased, so that 'verify' does not miss it.

'hookloop event erase' erases an event in Temporal and the registry; 'hookloop archive' then does this by itself. This
command is for what Temporal has forgotten, and for archives that know no registry.`,
		Example: "  hookloop archive erase /srv/archive --tenant acme --event evt_01jzc8m3v7q2w5x9y1b4d6f8hk --reason 'request 17'",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 2) == (e.event != "") || (e.event == "") != (e.tenant == "") {
				return terminal.Usage("archive erase needs FILE, or --event and --tenant; see %s --help", c.CommandPath())
			}
			if strings.TrimSpace(e.why.Reason) == "" {
				return terminal.Usage("archive erase needs --reason: what is erased cannot say why")
			}
			return e.run(c, args)
		},
	}
	c.Flags().StringVar(&e.why.By, "by", OSUser(), "who erases it")
	c.Flags().StringVar(&e.why.Reason, "reason", "", "why; stands in the index, so give no names")
	c.Flags().StringVar(&e.event, "event", "", "all files of this event, an `id`")
	c.Flags().StringVar(&e.tenant, "tenant", "", "whose event it is")
	c.Flags().StringVar(&e.key, "key", "", "`file` of the key that signs the archive, if it is signed")
	return c
}

func (e *archiveErase) run(c *cobra.Command, args []string) error {
	key, err := SigningKey(e.key)
	if err != nil {
		return err
	}
	f, err := archive.Open(args[0], key)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	e.why.At = time.Now().UTC().Truncate(time.Second)
	if e.event == "" {
		if err := f.Erase(args[1], e.why); err != nil {
			return err
		}
		return terminal.Say(c.OutOrStdout(), "erased %s\n", args[1])
	}
	n, err := f.EraseEvents(c.Context(), []archive.Erased{{Tenant: e.tenant, EventID: e.event, Why: e.why}})
	if err != nil {
		return err
	}
	return terminal.Say(c.OutOrStdout(), "erased %s of %s\n", terminal.Count(n, "file"), e.event)
}
