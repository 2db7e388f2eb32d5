package sandbox

import (
	"context"
	"crypto"
	"crypto/x509"
	_ "embed"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	ct "github.com/google/certificate-transparency-go/client"
	"github.com/google/certificate-transparency-go/jsonclient"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/sigstore/fulcio/pkg/ca"
	"github.com/sigstore/fulcio/pkg/ca/baseca"
	"github.com/sigstore/fulcio/pkg/challenges"
	"github.com/sigstore/fulcio/pkg/config"
	"github.com/sigstore/fulcio/pkg/ctl"
	"github.com/sigstore/fulcio/pkg/generated/protobuf"
	"github.com/sigstore/fulcio/pkg/identity"
	"github.com/sigstore/fulcio/pkg/identity/ciprovider"
	emailprincipal "github.com/sigstore/fulcio/pkg/identity/email"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// fulcioYAML is Fulcio's own config/identity/config.yaml (v1.8.8), with the
// issuers that the sandbox has.
//
//go:embed fulcio.yaml
var fulcioYAML string

// fulcioConfig names the e-mail issuer in fulcio.yaml.
func fulcioConfig(emailIssuer string) string {
	return strings.ReplaceAll(fulcioYAML, "http://email.invalid/auth", emailIssuer)
}

// fulcio is Fulcio without its command line and its metrics. It does what
// pkg/server/grpc_server.go does, which cannot be imported: `go mod tidy` would
// need a module for its tests that is not to be had.
type fulcio struct {
	protobuf.UnimplementedCAServer

	config     *config.FulcioConfig
	ca         *baseca.BaseCA
	log        *ct.LogClient
	algorithms *signature.AlgorithmRegistryConfig
	keys       map[string]oidc.KeySet // the issuers' keys: "github" and "email"
	faults     *faults
	remint     func(token string, claims map[string]string) (string, error)
	complain   *log.Logger
}

// newFulcio returns a Fulcio that logs at the URL. The issuers' keys are set
// before it serves.
func newFulcio(authority *attestationtest.CA, ctLogURL, emailIssuer string) (*fulcio, error) {
	var issuers config.FulcioConfig
	if err := yaml.Unmarshal([]byte(fulcioConfig(emailIssuer)), &issuers); err != nil {
		return nil, fmt.Errorf("reading fulcio's config: %w", err)
	}
	client, err := ct.New(ctLogURL, &http.Client{}, jsonclient.Options{Logger: log.New(io.Discard, "", 0)})
	if err != nil {
		return nil, fmt.Errorf("connecting fulcio to the certificate transparency log: %w", err)
	}
	// What Fulcio permits without flags.
	algorithms, err := signature.NewAlgorithmRegistryConfig([]protocommon.PublicKeyDetails{
		protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256,
		protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_3072_SHA256,
		protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_4096_SHA256,
		protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256,
		protocommon.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384,
		protocommon.PublicKeyDetails_PKIX_ECDSA_P521_SHA_512,
		protocommon.PublicKeyDetails_PKIX_ED25519,
	})
	if err != nil {
		return nil, fmt.Errorf("listing fulcio's algorithms: %w", err)
	}
	return &fulcio{
		config:     &issuers,
		ca:         &baseca.BaseCA{SignerWithChain: &ca.SignerCerts{Signer: authority.Signer(), Certs: authority.Chain()}},
		log:        client,
		algorithms: algorithms,
	}, nil
}

// handler speaks Fulcio's HTTP API, through the same gateway as Fulcio:
//
//	POST /api/v2/signingCert    bearer token
//	GET  /api/v2/trustBundle
//	GET  /api/v2/configuration
func (f *fulcio) handler(ctx context.Context) (http.Handler, error) {
	mux := runtime.NewServeMux(runtime.WithMetadata(func(_ context.Context, r *http.Request) metadata.MD {
		return metadata.Pairs(tokenKeyOfMetadata, strings.Replace(r.Header.Get("Authorization"), "Bearer ", "", 1))
	}))
	if err := protobuf.RegisterCAHandlerServer(ctx, mux, f); err != nil {
		return nil, fmt.Errorf("starting fulcio: %w", err)
	}
	return http.MaxBytesHandler(mux, 4<<20), nil
}

const tokenKeyOfMetadata = "oidcidentitytoken"

// CreateSigningCertificate implements Fulcio's API.
func (f *fulcio) CreateSigningCertificate(
	ctx context.Context, request *protobuf.CreateSigningCertificateRequest,
) (*protobuf.SigningCertificate, error) {
	ctx = config.With(ctx, f.config)
	token := request.GetCredentials().GetOidcIdentityToken()
	if values := metadata.ValueFromIncomingContext(ctx, tokenKeyOfMetadata); token == "" && len(values) == 1 {
		token = values[0]
	}
	principal, err := f.authenticate(ctx, token)
	if err != nil {
		return nil, f.refuse(codes.InvalidArgument, err, "There was an error processing the identity token")
	}
	key, err := f.provenKey(ctx, request, principal)
	if err != nil {
		return nil, err
	}
	if principal, key, err = f.confuse(ctx, token, subject{principal, key}); err != nil {
		return nil, f.refuse(codes.Internal, err, err.Error())
	}

	precertificate, err := f.ca.CreatePrecertificate(ctx, principal, key)
	if err != nil {
		// Fulcio answers what a claim is missing for with the error itself.
		return nil, f.refuse(codes.InvalidArgument, err, err.Error())
	}
	sct, err := f.log.AddPreChain(ctx, ctl.BuildCTChain(precertificate.PreCert, precertificate.CertChain))
	if err != nil {
		return nil, f.refuse(codes.Internal, err, "Error entering certificate in CTL")
	}
	final, err := f.ca.IssueFinalCertificate(ctx, precertificate, sct)
	if err != nil {
		return nil, f.refuse(codes.Internal, err, "error communicating with CA backend")
	}
	leaf, err := final.CertPEM()
	if err != nil {
		return nil, f.refuse(codes.Internal, err, "Error marshaling code signing certificate")
	}
	chain, err := final.ChainPEM()
	if err != nil {
		return nil, f.refuse(codes.Internal, err, "Error marshaling code signing certificate")
	}
	return &protobuf.SigningCertificate{
		Certificate: &protobuf.SigningCertificate_SignedCertificateEmbeddedSct{
			SignedCertificateEmbeddedSct: &protobuf.SigningCertificateEmbeddedSCT{
				Chain: &protobuf.CertificateChain{Certificates: append([]string{leaf}, chain...)},
			},
		},
	}, nil
}

// refuse tells the client as little as Fulcio does, and the log the reason.
func (f *fulcio) refuse(code codes.Code, reason error, message string) error {
	f.complain.Printf("fulcio refuses: %v", reason)
	return status.Error(code, message)
}

// authenticate verifies the token. It is identity.IssuerPool's Authenticate,
// but with the issuers' keys at hand: config.Read would look them up by
// http.DefaultTransport, which belongs to the whole process.
func (f *fulcio) authenticate(ctx context.Context, token string) (identity.Principal, error) {
	claims, err := claimsOf(token)
	if err != nil {
		return nil, err
	}
	name, _ := claims["iss"].(string)
	issuer, ok := f.config.GetIssuer(name)
	if !ok {
		return nil, fmt.Errorf("unsupported issuer: %s", name)
	}
	verify := func(keys string) (*oidc.IDToken, error) {
		return oidc.NewVerifier(name, f.keys[keys], &oidc.Config{ClientID: issuer.ClientID}).Verify(ctx, token)
	}
	switch issuer.Type {
	case config.IssuerTypeCIProvider:
		verified, err := verify("github")
		if err != nil {
			return nil, err
		}
		return ciprovider.WorkflowPrincipalFromIDToken(ctx, verified)
	case config.IssuerTypeEmail:
		verified, err := verify("email")
		if err != nil {
			return nil, err
		}
		return emailprincipal.PrincipalFromIDToken(ctx, verified)
	default:
		return nil, fmt.Errorf("no sandbox has issuers of the type %s", issuer.Type)
	}
}

// provenKey returns the key whose possession the request proves: by a
// certificate signing request, or by a signature over the principal's name.
func (f *fulcio) provenKey(
	ctx context.Context, request *protobuf.CreateSigningCertificateRequest, principal identity.Principal,
) (crypto.PublicKey, error) {
	var key crypto.PublicKey
	var hash crypto.Hash
	if encoded := request.GetCertificateSigningRequest(); len(encoded) > 0 {
		csr, err := cryptoutils.ParseCSR(encoded)
		if err != nil {
			return nil, f.refuse(codes.InvalidArgument, err, "The certificate signing request could not be parsed")
		}
		if err := csr.CheckSignature(); err != nil {
			return nil, f.refuse(codes.InvalidArgument, err, "The signature supplied in the request could not be verified")
		}
		if hash, err = hashOf(csr.SignatureAlgorithm); err != nil {
			return nil, f.refuse(codes.InvalidArgument, err, err.Error())
		}
		key = csr.PublicKey
	} else {
		proven := request.GetPublicKeyRequest()
		var err error
		if key, err = challenges.ParsePublicKey(proven.GetPublicKey().GetContent()); err != nil {
			return nil, f.refuse(codes.InvalidArgument, err, "The public key supplied in the request could not be parsed")
		}
		algorithm, err := signature.GetDefaultAlgorithmDetails(key)
		if err != nil {
			return nil, f.refuse(codes.InvalidArgument, err, err.Error())
		}
		hash = algorithm.GetHashType()
		verifier, err := signature.LoadDefaultVerifier(key)
		if err != nil {
			return nil, f.refuse(codes.InvalidArgument, err, err.Error())
		}
		if err := challenges.CheckSignatureWithVerifier(verifier, proven.GetProofOfPossession(), principal.Name(ctx)); err != nil {
			return nil, f.refuse(codes.InvalidArgument, err, "The signature supplied in the request could not be verified")
		}
	}
	permitted, err := f.algorithms.IsAlgorithmPermitted(key, hash)
	if err == nil && !permitted {
		err = fmt.Errorf("signing algorithm not permitted: %T, %s", key, hash)
	}
	if err != nil {
		return nil, f.refuse(codes.InvalidArgument, err, err.Error())
	}
	return key, nil
}

func hashOf(algorithm x509.SignatureAlgorithm) (crypto.Hash, error) {
	switch algorithm {
	case x509.ECDSAWithSHA256, x509.SHA256WithRSA:
		return crypto.SHA256, nil
	case x509.ECDSAWithSHA384, x509.SHA384WithRSA:
		return crypto.SHA384, nil
	case x509.ECDSAWithSHA512, x509.SHA512WithRSA:
		return crypto.SHA512, nil
	case x509.PureEd25519:
		return crypto.Hash(0), nil
	default:
		return crypto.Hash(0), fmt.Errorf("unrecognized signature algorithm: %s", algorithm)
	}
}

// GetTrustBundle implements Fulcio's API.
func (f *fulcio) GetTrustBundle(ctx context.Context, _ *protobuf.GetTrustBundleRequest) (*protobuf.TrustBundle, error) {
	chains, err := f.ca.TrustBundle(ctx)
	if err != nil {
		return nil, f.refuse(codes.Internal, err, "error retrieving trust bundle from CA backend")
	}
	bundle := &protobuf.TrustBundle{}
	for _, chain := range chains {
		encoded := &protobuf.CertificateChain{}
		for _, certificate := range chain {
			text, err := cryptoutils.MarshalCertificateToPEM(certificate)
			if err != nil {
				return nil, f.refuse(codes.Internal, err, "error marshaling the certificate chain of the bundle")
			}
			encoded.Certificates = append(encoded.Certificates, string(text))
		}
		bundle.Chains = append(bundle.Chains, encoded)
	}
	return bundle, nil
}

// GetConfiguration implements Fulcio's API.
func (f *fulcio) GetConfiguration(context.Context, *protobuf.GetConfigurationRequest) (*protobuf.Configuration, error) {
	return &protobuf.Configuration{Issuers: f.config.ToIssuers()}, nil
}
