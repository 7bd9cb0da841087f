// Command roots looks at the certificates that an image trusts: `roots FILE` fails if FILE, a bundle of PEM
// certificates, holds a root that must not be trusted any more, or too few to be whole. The image's build runs
// it over Debian's bundle, .ci/run too.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
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
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: roots FILE")
		os.Exit(2)
	}
	n, err := checkFile(os.Args[1])
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
	fmt.Printf("%s: %d roots, none of them distrusted\n", os.Args[1], n)
}

func checkFile(path string) (int, error) {
	bundle, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return check(bundle, fewest)
}

// check counts the roots of a bundle.
func check(bundle []byte, fewest int) (n int, err error) {
	var bad []error
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			break
		}
		root, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return n, fmt.Errorf("certificate %d: %w", n+1, err)
		}
		n++
		for name, why := range distrusted {
			if strings.HasPrefix(root.Subject.CommonName, name) {
				bad = append(bad, fmt.Errorf("%s: %s", root.Subject.CommonName, why))
			}
		}
	}
	if n < fewest {
		bad = append(bad, fmt.Errorf("%d roots are not all", n))
	}
	return n, errors.Join(bad...)
}
