package signer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/digitorus/timestamp"
	"github.com/sigstore/sigstore-go/pkg/sign"

	"github.com/signatus-dev/signatus/internal/identity"
)

// certify has Fulcio certify the key, and checks the certificate. A token that
// is refused because it has expired is minted again, once.
func (s *signing) certify(ctx context.Context) ([]byte, error) {
	token, err := s.mint(ctx)
	if err != nil {
		return nil, err
	}
	certificate, err := s.fetch(ctx, token)
	if refused, ok := errors.AsType[*ServiceError](err); ok && s.hadExpired(token, refused) {
		fresh, mintErr := s.mint(ctx)
		if mintErr != nil {
			return nil, mintErr
		}
		if fresh.Reveal() != token.Reveal() {
			certificate, err = s.fetch(ctx, fresh)
		}
	}
	if err != nil {
		return nil, err
	}
	return certificate, s.checkCertificate(certificate)
}

func (s *signing) mint(ctx context.Context) (identity.Token, error) {
	token, err := s.request.Token(ctx)
	if err != nil {
		return identity.Token{}, fmt.Errorf("getting an identity token: %w", err)
	}
	if err := checkToken(token); err != nil {
		return identity.Token{}, fmt.Errorf("reading the identity token: %w", err)
	}
	s.courier.secrets.Add(piecesOf(token)...)
	return token, nil
}

// hadExpired tells whether another token may help. Fulcio does not say why it
// refuses one, so the token's own word counts too, with the time that the
// request may have taken.
func (s *signing) hadExpired(token identity.Token, refused *ServiceError) bool {
	switch refused.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
	default:
		return false
	}
	if strings.Contains(strings.ToLower(refused.Text), "expired") {
		return true
	}
	until, ok := expires(token)
	return ok && until.Before(s.courier.now.Add(s.courier.budget))
}

// fetch asks Fulcio for a certificate in DER.
func (s *signing) fetch(ctx context.Context, token identity.Token) ([]byte, error) {
	to := endpoint{Fulcio, s.request.Services.Fulcio}
	asked := 0 // the status of Fulcio's answer
	carry := s.courier.transport(ctx, to)
	client := sign.NewFulcio(&sign.FulcioOptions{
		BaseURL: strings.TrimSuffix(to.url, "/"),
		Timeout: -1, // the courier's
		Transport: roundTrip(func(request *http.Request) (*http.Response, error) {
			response, err := carry.RoundTrip(request)
			if err == nil {
				asked = response.StatusCode
			}
			return response, err
		}),
	})
	certificate, err := client.GetCertificate(ctx, ephemeral{s.key}, &sign.CertificateProviderOptions{IDToken: token.Reveal()})
	if err == nil {
		return certificate, nil
	}
	if refused, ok := errors.AsType[*ServiceError](err); ok {
		return nil, refused
	}
	if asked == 0 {
		return nil, fmt.Errorf("reading the identity token: %w", s.courier.secrets.Wrap(err))
	}
	return nil, s.courier.garbage(to, asked, err)
}

// checkCertificate holds the certificate against the key and the caller's
// expectation. It verifies neither its signature nor its time.
func (s *signing) checkCertificate(der []byte) error {
	refuse := func(err error) error {
		return &CertificateError{
			Host: endpoint{url: s.request.Services.Fulcio}.host(), Err: err,
			Next: "nothing was logged; check that the signing config names the right certificate authority",
		}
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return refuse(s.courier.secrets.Wrap(err))
	}
	spki, err := s.key.spki()
	if err != nil {
		return err
	}
	if !bytes.Equal(certificate.RawSubjectPublicKeyInfo, spki) {
		return refuse(errors.New("it is for another key than the one made for this bundle"))
	}
	if s.signer, err = identity.FromCertificate(certificate); err != nil {
		return refuse(s.courier.secrets.Wrap(err))
	}
	if err := s.request.CheckCertificate(s.signer); err != nil {
		return refuse(err)
	}
	return nil
}

// stamp has the authority state that the signature exists, in a TimeStampResp.
func (c *courier) stamp(ctx context.Context, to endpoint, signature []byte) ([]byte, error) {
	authority := sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{
		URL: to.url, Timeout: -1, Transport: c.transport(ctx, to),
	})
	response, err := authority.GetTimestamp(ctx, signature)
	if refused, ok := errors.AsType[*ServiceError](err); ok {
		return nil, refused
	}
	if err != nil {
		return nil, c.garbage(to, http.StatusOK, err)
	}
	stamp, err := timestamp.ParseResponse(response)
	if err != nil {
		return nil, c.garbage(to, http.StatusOK, err)
	}
	// What is stamped wrongly would be logged for nothing.
	if digest := sha256.Sum256(signature); !bytes.Equal(stamp.HashedMessage, digest[:]) {
		return nil, c.garbage(to, http.StatusOK, errors.New("the timestamp is for something else"))
	}
	return response, nil
}
