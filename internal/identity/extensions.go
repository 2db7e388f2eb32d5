package identity

import (
	"encoding/asn1"
	"slices"
)

// Extension is the name of a Fulcio certificate extension, as sigstore-go and
// the layout spell it.
// Source: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
type Extension string

// The extensions under 1.3.6.1.4.1.57264.1, with their last arc.
const (
	Issuer                              Extension = "issuer"                              // .8, older .1
	GitHubWorkflowTrigger               Extension = "githubWorkflowTrigger"               // .2
	GitHubWorkflowSHA                   Extension = "githubWorkflowSHA"                   // .3
	GitHubWorkflowName                  Extension = "githubWorkflowName"                  // .4
	GitHubWorkflowRepository            Extension = "githubWorkflowRepository"            // .5
	GitHubWorkflowRef                   Extension = "githubWorkflowRef"                   // .6
	BuildSignerURI                      Extension = "buildSignerURI"                      // .9
	BuildSignerDigest                   Extension = "buildSignerDigest"                   // .10
	RunnerEnvironment                   Extension = "runnerEnvironment"                   // .11
	SourceRepositoryURI                 Extension = "sourceRepositoryURI"                 // .12
	SourceRepositoryDigest              Extension = "sourceRepositoryDigest"              // .13
	SourceRepositoryRef                 Extension = "sourceRepositoryRef"                 // .14
	SourceRepositoryIdentifier          Extension = "sourceRepositoryIdentifier"          // .15
	SourceRepositoryOwnerURI            Extension = "sourceRepositoryOwnerURI"            // .16
	SourceRepositoryOwnerIdentifier     Extension = "sourceRepositoryOwnerIdentifier"     // .17
	BuildConfigURI                      Extension = "buildConfigURI"                      // .18
	BuildConfigDigest                   Extension = "buildConfigDigest"                   // .19
	BuildTrigger                        Extension = "buildTrigger"                        // .20
	RunInvocationURI                    Extension = "runInvocationURI"                    // .21
	SourceRepositoryVisibilityAtSigning Extension = "sourceRepositoryVisibilityAtSigning" // .22
	DeploymentEnvironment               Extension = "deploymentEnvironment"               // .23
	TokenSubject                        Extension = "tokenSubject"                        // .24
)

// Extensions holds the values of the extensions that a certificate carries. A
// name that is absent is not in the map; no value in it is empty.
type Extensions map[Extension]string

// Names lists every extension in the order of its object identifier.
func Names() []Extension {
	return slices.DeleteFunc(byArc(), func(e Extension) bool { return e == "" })
}

// byArc gives the extension for each last arc: .1 is the older spelling of .8,
// and .7 is a general name, not an extension.
func byArc() []Extension {
	return []Extension{
		2: GitHubWorkflowTrigger, 3: GitHubWorkflowSHA, 4: GitHubWorkflowName,
		5: GitHubWorkflowRepository, 6: GitHubWorkflowRef, 8: Issuer,
		9: BuildSignerURI, 10: BuildSignerDigest, 11: RunnerEnvironment,
		12: SourceRepositoryURI, 13: SourceRepositoryDigest, 14: SourceRepositoryRef,
		15: SourceRepositoryIdentifier, 16: SourceRepositoryOwnerURI, 17: SourceRepositoryOwnerIdentifier,
		18: BuildConfigURI, 19: BuildConfigDigest, 20: BuildTrigger, 21: RunInvocationURI,
		22: SourceRepositoryVisibilityAtSigning, 23: DeploymentEnvironment, 24: TokenSubject,
	}
}

// arc returns the last arc of a Fulcio extension's object identifier.
func arc(id asn1.ObjectIdentifier) (int, bool) {
	prefix := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1}
	if len(id) != len(prefix)+1 || !id[:len(prefix)].Equal(prefix) {
		return 0, false
	}
	return id[len(prefix)], true
}
