/** What a person opens after a deployment, out of what the stack tells. */

/** An output of a stack, as CloudFormation describes it. */
interface Output {
  readonly OutputKey?: string;
  readonly OutputValue?: string;
}

/** @returns a line for each address; none for a stack that is not there yet */
export function addresses(outputs: readonly Output[]): string[] {
  const told = (key: string) => outputs.find(({ OutputKey }) => OutputKey === key)?.OutputValue;
  const [http, socket] = [told("HttpAddress"), told("SocketAddress")];
  if (http === undefined || socket === undefined) return [];
  return [
    `ordering  ${http}/`,
    `kitchen   ${http}/kitchen`,
    `board     ${http}/board`,
    `owner     ${http}/owner`,
    `socket    ${socket}`,
  ];
}
