// Command roots makes the bundle of certificates that an image trusts: `roots IN OUT` copies
// Debian's, and leaves out the roots that must not be trusted any more, whether Debian has come to
// that yet or not. It fails if too few are left to be the whole. The image's build runs it, .ci/run
// too.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

// distrusted are the beginnings of names of authorities that were compromised, and why.
var distrusted = map[string]string{
	"emSign ": "compromised, CVE-2026-111943",
}

// fewest is less than any whole bundle has; Debian's has 140.
const fewest = 100

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: roots IN OUT")
		os.Exit(2)
	}
	if err := copyFile(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "roots:", err)
		os.Exit(1)
	}
}

func copyFile(in, out string) error {
	bundle, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	kept, left, err := trusted(bundle, fewest)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	for _, name := range left {
		fmt.Println("left out:", name)
	}
	return os.WriteFile(out, kept, 0o644) //nolint:gosec // certificates are for everyone to read
}

// trusted gives the bundle without distrusted roots, and the names of those with the reasons.
func trusted(bundle []byte, fewest int) (kept []byte, left []string, err error) {
	n := 0
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			break
		}
		root, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, fmt.Errorf("certificate %d: %w", n+len(left)+1, err)
		}
		if why := distrust(root.Subject.CommonName); why != "" {
			left = append(left, root.Subject.CommonName+": "+why)
			continue
		}
		n++
		kept = append(kept, pem.EncodeToMemory(block)...)
	}
	if n < fewest {
		return nil, nil, fmt.Errorf("%d roots are not all", n)
	}
	return kept, left, nil
}

func distrust(name string) string {
	for prefix, why := range distrusted {
		if strings.HasPrefix(name, prefix) {
			return why
		}
	}
	return ""
}
