/** Reason not to deploy that the user can fix: printed as a sentence, without a stack trace. */
export class DeploymentError extends Error {
  override readonly name = "DeploymentError";
}
