package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func root(t *testing.T, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := append(root(t, "Good Root CA"), root(t, "designed Root emSign")...)
	n, err := check(good, 2)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for _, name := range []string{"emSign Root CA - G1", "emSign ECC Root CA - G3", "emSign Root CA - C1", "emSign ECC Root CA - C3"} {
		_, err := check(append(append([]byte{}, good...), root(t, name)...), 2)
		require.EqualError(t, err, name+": compromised, CVE-2026-111943")
	}
	_, err = check(good, 3)
	require.EqualError(t, err, "2 roots are not all")
	_, err = check(nil, 1)
	require.Error(t, err)
	_, err = check(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), 0)
	require.Error(t, err)
}
