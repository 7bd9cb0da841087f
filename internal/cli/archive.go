package cli

import (
	"fmt"
	"io"
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
	_, err := fmt.Fprintf(w, "%s  %s\nrun   %s\nfrom  %s\nto    %s\n\n", terminal.OneLine(l.Type), terminal.OneLine(l.WorkflowID), terminal.OneLine(l.RunID), terminal.UTC(l.Start), terminal.UTC(l.Close))
	if err != nil {
		return err
	}
	if err := showLines(w, l.Lines); err != nil || !l.Encrypted {
		return err
	}
	_, err = fmt.Fprintln(w, "\nSome of it is encrypted, with a key that is not in HOOKLOOP_HISTORY_KEY_FILE.")
	return err
}

func newArchiveVerify() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Compare every file of an archive with the hash that its index has",
		Long: `Compare every file of an archive with the hash that its index has, and say which are missing or damaged; then
it exits with 1. Files that no line names are counted: a run that was killed leaves them, and the next one takes
them in. A person who can write to the folder can write to its index too: keep a copy of _index elsewhere.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := archive.Verify(c.Context(), args[0])
			if err != nil {
				return err
			}
			if err := showVerified(c.OutOrStdout(), v, asJSON); err != nil {
				return err
			}
			if n := len(v.Faults); n > 0 {
				return fmt.Errorf("%s missing or damaged", terminal.Count(n, "file"))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func showVerified(w io.Writer, v archive.Verified, asJSON bool) error {
	if asJSON {
		return terminal.JSON(w, v)
	}
	t := terminal.Columns(w)
	for _, f := range v.Faults {
		terminal.Row(t, f.Problem, f.File)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s whole, %d erased, %d in no index\n", terminal.Count(v.Whole, "file"), v.Erased, v.Unindexed)
	return err
}

func newArchiveErase() *cobra.Command {
	var why archive.Erasure
	c := &cobra.Command{
		Use:   "erase DIR FILE",
		Short: "Take one file out of an archive, and say so in its index",
		Long: `Take one file out of an archive for good: a person asked for it. FILE is named as the index names it, within
DIR. Its line stays (names and times, no data) beside one that says when, by whom and why it was erased, so that
'verify' does not miss it. Delete the execution in Temporal, too; in either order, the archive does not copy it again.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := archive.Open(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			why.At = time.Now().UTC().Truncate(time.Second)
			if err := f.Erase(args[1], why); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "erased %s\n", terminal.OneLine(args[1]))
			return err
		},
	}
	c.Flags().StringVar(&why.By, "by", OSUser(), "who erases it")
	c.Flags().StringVar(&why.Reason, "reason", "", "why; stands in the index, so give no names")
	return c
}
