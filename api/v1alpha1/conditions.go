package v1alpha1

// Condition types. Ready, Reconciling and Stalled follow kstatus
// (sigs.k8s.io/cli-utils/pkg/kstatus); the others follow the Gateway API's vocabulary.
const (
	// ConditionAccepted: the object is valid in itself and in its place.
	ConditionAccepted = "Accepted"
	// ConditionResolvedRefs: everything the object names exists.
	ConditionResolvedRefs = "ResolvedRefs"
	// ConditionProgrammed: every runtime replica acknowledged the current routing table.
	ConditionProgrammed = "Programmed"
	// ConditionReady: customers are served.
	ConditionReady = "Ready"
	// ConditionServed: False while the object uses parts of the API that this release accepts but does not serve yet, or
	// leaves some conversations to nobody.
	ConditionServed = "Served"
	// ConditionReconciling is abnormal-true: the operator or a runtime is still working towards the spec.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is abnormal-true: nothing will change until somebody edits an object.
	ConditionStalled = "Stalled"
	// ConditionSharedAcrossCopilots: an AgentPool is used by several Copilots, and each counts capacity for itself.
	ConditionSharedAcrossCopilots = "SharedAcrossCopilots"
	// ConditionUpgradable: the operator's release has another runtime than the one that runs.
	ConditionUpgradable = "Upgradable"
)

// Condition reasons. docs/ lists each with its fix.
const (
	// ReasonAccepted: the object is valid.
	ReasonAccepted = "Accepted"
	// ReasonInvalid: a field's value cannot be used; the message names field, value and fix.
	ReasonInvalid = "Invalid"
	// ReasonNobodyToHandOffTo: a policy without routes, under a Copilot without helpdesks.
	ReasonNobodyToHandOffTo = "NobodyToHandOffTo"
	// ReasonPolicyMissing: a phone Channel has handoff settings but its Copilot has no policy.
	ReasonPolicyMissing = "PolicyMissing"
	// ReasonContradiction: two objects say different things of one person, such as two phone numbers.
	ReasonContradiction = "Contradiction"
	// ReasonTaken: the token, number, mailbox or host belongs to an older object.
	ReasonTaken = "Taken"
	// ReasonResolved: every reference resolves.
	ReasonResolved = "Resolved"
	// ReasonNotFound: something named by a reference does not exist.
	ReasonNotFound = "NotFound"
	// ReasonKeyNotFound: a Secret or ConfigMap exists but lacks the named key.
	ReasonKeyNotFound = "KeyNotFound"
	// ReasonProgrammed: every replica acknowledged the current table.
	ReasonProgrammed = "Programmed"
	// ReasonWaitingForReplicas: some replica has not acknowledged the current table yet.
	ReasonWaitingForReplicas = "WaitingForReplicas"
	// ReasonTableRefused: a replica refused the current table and keeps serving the one before.
	ReasonTableRefused = "TableRefused"
	// ReasonNotAccepted: the object is not Accepted, so nothing was programmed from it.
	ReasonNotAccepted = "NotAccepted"
	// ReasonReady: customers are served.
	ReasonReady = "Ready"
	// ReasonUnused: valid, but nothing uses it.
	ReasonUnused = "Unused"
	// ReasonCopilotNotReady: the Channel's Copilot is not ready.
	ReasonCopilotNotReady = "CopilotNotReady"
	// ReasonServed: every part of the spec is served by this release.
	ReasonServed = "Served"
	// ReasonNotServed: a part of the spec is accepted but not served by this release; the message names it.
	ReasonNotServed = "NotServed"
	// ReasonNoCatchAll: a policy has routes, and no conversation but those that they match is offered to anybody.
	ReasonNoCatchAll = "NoCatchAll"
	// ReasonPending: the operator has not looked at the object yet.
	ReasonPending = "Pending"
	// ReasonProgressing: children are being created or rolled out.
	ReasonProgressing = "Progressing"
	// ReasonUpdating: the object was ready, and an edit is on its way to the replicas.
	ReasonUpdating = "Updating"
	// ReasonShared: several Copilots use the pool.
	ReasonShared = "Shared"
	// ReasonNotShared: at most one Copilot uses the pool.
	ReasonNotShared = "NotShared"
	// ReasonApplyFailed: a child of the Copilot could not be written, which is tried again; the message says which and why.
	ReasonApplyFailed = "ApplyFailed"
	// ReasonScaledToZero: spec.runtime.replicas is 0, so nobody is served.
	ReasonScaledToZero = "ScaledToZero"
	// ReasonUpToDate: the runtime is that of the operator's release, or the one that spec.runtime.image names.
	ReasonUpToDate = "UpToDate"
	// ReasonUpgradeAvailable: upgrades are manual, and another runtime is there; the message says how to take it.
	ReasonUpgradeAvailable = "UpgradeAvailable"
	// ReasonUpgradeWaiting: the upgrade begins when others that are under way have ended.
	ReasonUpgradeWaiting = "UpgradeWaiting"
	// ReasonGatewayAPIMissing: exposure of type Gateway in a cluster without the Gateway API.
	ReasonGatewayAPIMissing = "GatewayAPIMissing"
	// ReasonPodFailing: a pod of the runtime cannot start; the message says why.
	ReasonPodFailing = "PodFailing"
	// ReasonStorageUnavailable: a replica cannot use its storage and tells customers to try again; the message says why.
	ReasonStorageUnavailable = "StorageUnavailable"
	// ReasonSettled: nothing is being worked on.
	ReasonSettled = "Settled"
)
