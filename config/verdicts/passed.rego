# For `cosign verify-attestation --policy`: lets in what a policy of the registry has cleared.
package signature

import rego.v1

default allow := false

allow if {
	input.predicateType == "https://slsa.dev/verification_summary/v1"
	input.predicate.verificationResult == "PASSED"
	"BASEGATE_AZUREML_2019_07" in input.predicate.verifiedLevels
}
