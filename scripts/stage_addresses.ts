/** Addresses to open after a deployment, from the stack's outputs. */

/** An output of a stack, as CloudFormation describes it. */
interface Output {
  readonly OutputKey?: string;
  readonly OutputValue?: string;
}

/** @returns a line for each address; none for a stack that is not there yet */
export function addresses(outputs: readonly Output[], stage: string): string[] {
  const outputOf = (key: string) => outputs.find(({ OutputKey }) => OutputKey === key)?.OutputValue;
  const [http, socket] = [outputOf("HttpAddress"), outputOf("SocketAddress")];
  if (http === undefined || socket === undefined) return [];
  return [
    `ordering  ${http}/`,
    `kitchen   ${http}/kitchen`,
    `board     ${http}/board`,
    `owner     ${http}/owner`,
    `socket    ${socket}`,
    "",
    "They show nothing until there is a shop and a paired device:",
    `npx orderbell shop create <id> --en <name> --stage ${stage}`,
    `npx orderbell pair <id> --role owner --stage ${stage}`,
  ];
}
