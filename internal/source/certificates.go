package source

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// readCertificates reads PEM, or the DER of one certificate. There is at least one.
func readCertificates(document []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	rest := document
	for block, after := pem.Decode(rest); block != nil; block, after = pem.Decode(rest) {
		rest = after
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("a certificate cannot be read")
		}
		all = append(all, certificate)
	}
	if len(all) > 0 {
		return all, nil
	}
	certificate, err := x509.ParseCertificate(document)
	if err != nil {
		return nil, errors.New("there is no certificate in the document")
	}
	return []*x509.Certificate{certificate}, nil
}
