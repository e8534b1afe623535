/** The class of a path that no route takes, for the log: what a client got wrong shows, what a person typed does not. */

/** Words of this API's own paths. A test compares them with serverless.yml. */
const words = new Set(
  `aggregations anonymously api assets audit auth bill board collections commands commit complete copy-objects database databases
  delete-objects devices dishes docs documents errors events examples files games get get-objects-download-info
  get-objects-upload-info get_shop_info grants guest healthz instances introspect kitchen lines log login me members menu messages
  metrics mina_auth moves notify objects open orders owner pairing parts pgws pictures price push remove report revoke rollback
  rooms session settings shops signin signout sold_out staff stock storages tables ticket token transactions user v1 weapp web ws
  wsurl`.split(/\s+/),
);
/** Endings that tell a page's missing file, or a scanner. */
const endings = /\.(asp|aspx|cgi|css|env|git|html|ico|js|json|jsp|map|php|png|sql|svg|txt|webp|xml|yml|zip)$/i;
const maxSegments = 8;

/** Words of our own paths and well-known endings stay, all else is a star: `/app/bill` is of the class of star and `bill`. */
export function pathClass(path: string): string {
  const segments = path.split("/");
  const named = segments.slice(0, maxSegments + 1).map((segment) => {
    if (segment === "" || words.has(segment)) return segment;
    return `*${endings.exec(segment)?.[0].toLowerCase() ?? ""}`;
  });
  return named.join("/") + (segments.length > named.length ? "/…" : "");
}
