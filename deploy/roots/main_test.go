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

func TestDistrustedRootsAreLeftOut(t *testing.T) {
	t.Parallel()
	good := append(root(t, "Good Root CA"), root(t, "designed Root emSign")...)
	kept, left, err := trusted(good, 2)
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, string(good), string(kept))
	for _, name := range []string{"emSign Root CA - G1", "emSign ECC Root CA - G3", "emSign Root CA - C1", "emSign ECC Root CA - C3"} {
		kept, left, err := trusted(append(root(t, name), good...), 2)
		require.NoError(t, err)
		require.Equal(t, []string{name + ": compromised, CVE-2026-111943"}, left)
		require.Equal(t, string(good), string(kept))
	}
}

func TestBundlesThatAreNotWhole(t *testing.T) {
	t.Parallel()
	_, _, err := trusted(root(t, "Good Root CA"), 2)
	require.EqualError(t, err, "1 roots are not all")
	_, _, err = trusted(nil, 1)
	require.Error(t, err)
	_, _, err = trusted(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), 0)
	require.Error(t, err)
}
