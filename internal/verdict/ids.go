package verdict

// IDs lists every finding, for the tests that hold the documentation to it.
func IDs() []ID {
	return []ID{
		BundleMalformed, BundleTooNew, SignatureInvalid, CertificateMalformed, StatementMalformed, DescriptorConflict,
		PredicateMalformed, ContradictsCert, UnexpectedPredicate, NotFunctionary, WrongRoot, ExtensionMismatch,
		LinkOfOtherStep, NotSubject, SubjectName, VSANotPassed, TreeNotCommit, OutsideAssignment,
		NoCandidate, ThresholdNotMet, NotDistinct, StatementsDisagree, RuleDisallow, RuleRequire, ArtifactDenied,
		ArtifactNotProduct, TooManyAssignments, ArtifactUnreadable, SourceUnreadable,
		LayoutMalformed, LayoutTooNew, LayoutUnreadable, LayoutExpired, LayoutExpiryTooFar, LayoutVersionLow, LayoutEmpty,
		ParameterMissing, ParameterUnknown, ParameterMalformed, RuleListOpen, RuleMalformed, MatchUnknownStep, MatchCycle,
		MatchWithoutReq, RequireConsumed, UnjoinedStep, ThresholdRange, GlobMalformed, WildcardHost, SharedKey,
		SharedIdentity, TwoIssuers, UnknownFunctionary, NameClash, FunctionaryInvalid, NotSupportedYet, UnknownStep,
	}
}
