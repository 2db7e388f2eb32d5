package verdict

// ID is the stable name of a finding. Each has a section in docs/findings.md
// with its remedy; a test holds that.
type ID string

// Findings about one candidate: why it did not count.
const (
	BundleMalformed      ID = "bundle-malformed"
	BundleTooNew         ID = "bundle-version-too-new"
	SignatureInvalid     ID = "signature-invalid"
	CertificateMalformed ID = "certificate-malformed"
	StatementMalformed   ID = "statement-malformed"
	DescriptorConflict   ID = "descriptor-conflict"
	PredicateMalformed   ID = "predicate-malformed"
	ContradictsCert      ID = "predicate-contradicts-certificate"
	UnexpectedPredicate  ID = "predicate-type-not-expected"
	NotFunctionary       ID = "signer-not-functionary"
	WrongRoot            ID = "wrong-root"
	ExtensionMismatch    ID = "extension-mismatch"
	LinkOfOtherStep      ID = "link-of-another-step"
	NotSubject           ID = "artifact-not-subject"
	SubjectName          ID = "subject-name-differs"
	VSANotPassed         ID = "vsa-not-passed"
	VSAResource          ID = "vsa-resource"
	VSAPolicy            ID = "vsa-policy"
	VSAVerifier          ID = "vsa-verifier"
	VSAParameters        ID = "vsa-parameters"
	VSALevels            ID = "vsa-levels"
	VSARelaxed           ID = "vsa-relaxed"
	NoProvenTime         ID = "no-proven-time"
	EvidenceTooOld       ID = "evidence-too-old"
	WeakGitHash          ID = "git-hash-not-accepted"
	OutsideAssignment    ID = "outside-assignment"
)

// Findings about an author's signature in git.
const (
	GitObjectMalformed  ID = "git-object-malformed"
	GitObjectUnsigned   ID = "git-object-unsigned"
	SignatureWeak       ID = "signature-weak"
	ForgeKey            ID = "forge-key"
	KeyNotValid         ID = "key-not-valid-then"
	SignerDistrusted    ID = "signer-distrusted"
	RepositoryNotNamed  ID = "repository-not-named"
	TagNameDiffers      ID = "tag-name-differs"
	NotAuthorsSignature ID = "not-the-authors-signature"
)

// Findings about the verdict as a whole.
const (
	NoCandidate        ID = "no-candidate"
	ThresholdNotMet    ID = "threshold-not-met"
	NotDistinct        ID = "principals-not-distinct"
	StatementsDisagree ID = "statements-disagree"
	RuleDisallow       ID = "rule-disallow"
	RuleRequire        ID = "rule-require"
	MatchFailed        ID = "match-failed"
	CommitNotJoined    ID = "commit-not-joined"
	StepNotJoined      ID = "step-not-joined"
	ArtifactDenied     ID = "artifact-denied"
	ArtifactNotProduct ID = "artifact-not-product"
	TooManyAssignments ID = "too-many-assignments"
	ArtifactUnreadable ID = "artifact-unreadable"
	SourceUnreadable   ID = "source-unreadable"
	UnknownRoot        ID = "root-unknown"
)

// Findings about the layout.
const (
	LayoutMalformed    ID = "layout-malformed"
	LayoutTooNew       ID = "layout-dialect-unknown"
	LayoutExpired      ID = "layout-expired"
	LayoutExpiryTooFar ID = "layout-expiry-too-far"
	LayoutVersionLow   ID = "layout-version-too-low"
	LayoutEmpty        ID = "layout-empty"
	ParameterMissing   ID = "parameter-missing"
	ParameterUnknown   ID = "parameter-unknown"
	ParameterMalformed ID = "parameter-malformed"
	RuleListOpen       ID = "rule-list-open"
	RuleMalformed      ID = "rule-malformed"
	MatchUnknownStep   ID = "match-unknown-step"
	MatchCycle         ID = "match-cycle"
	MatchWithoutReq    ID = "match-without-require"
	RequireConsumed    ID = "require-after-consume"
	UnjoinedStep       ID = "unjoined-step"
	ThresholdRange     ID = "threshold-out-of-range"
	GlobMalformed      ID = "glob-malformed"
	WildcardHost       ID = "wildcard-host"
	SharedKey          ID = "shared-key"
	SharedIdentity     ID = "shared-identity"
	TwoIssuers         ID = "two-issuers"
	UnknownFunctionary ID = "unknown-functionary"
	NameClash          ID = "name-clash"
	FunctionaryInvalid ID = "functionary-malformed"
	NotSupportedYet    ID = "not-supported-yet"
	UnknownStep        ID = "unknown-step"
	VSAUnbound         ID = "vsa-unbound"
	VSALevelMalformed  ID = "vsa-level-malformed"

	LayoutUnsigned  ID = "layout-unsigned"
	LayoutSignature ID = "layout-signature-threshold"
)

// Findings about attributes, ITE-11's rules over one statement.
const (
	AttributeMalformed ID = "attribute-malformed"
	AttributeFalse     ID = "attribute-false"
	AttributeError     ID = "attribute-error"
	ParameterUnused    ID = "parameter-unused"
)

// Findings about classic in-toto 1.0 metadata: layouts, links and their keys.
const (
	EnvelopeMalformed   ID = "envelope-malformed"
	AmbiguousKey        ID = "json-key-ambiguous"
	UnknownField        ID = "layout-field-unknown"
	LayoutKeyMissing    ID = "layout-key-missing"
	KeyMalformed        ID = "key-malformed"
	KeyIDMismatch       ID = "key-id-mismatch"
	CertificateRefused  ID = "certificate-constraint"
	LinkMalformed       ID = "link-malformed"
	DigestMalformed     ID = "digest-malformed"
	DigestEmpty         ID = "digest-empty"
	ArtifactAlias       ID = "artifact-name-ambiguous"
	SublayoutRefused    ID = "sublayout-refused"
	SublayoutTooDeep    ID = "sublayout-too-deep"
	InspectionForbidden ID = "inspection-not-allowed"
	InspectionFailed    ID = "inspection-failed"
)

// Findings about steps that are joined by tree.
const (
	TreeNotJoined ID = "tree-not-joined"
	TreeUnknown   ID = "tree-unknown"
)

// Findings about bots, which may change some paths only.
const (
	PathNotAllowed ID = "path-not-allowed"
	PathsUnknown   ID = "changed-paths-unknown"
)
