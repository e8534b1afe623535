// ORDERBELL_KEY=obk_… WEBHOOK_SECRET=whsec_… java Server.java <api> <port>: Java 17 alone. A real one takes a JSON library.
import static java.nio.charset.StandardCharsets.UTF_8; import com.sun.net.httpserver.*; import java.net.*; import java.net.http.*; import java.util.*; import java.util.regex.*;
class Server {
    static String ask(String url, String body, String type, String key) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).timeout(java.time.Duration.ofSeconds(10)).POST(HttpRequest.BodyPublishers.ofString(body))
            .headers("authorization", "Bearer " + System.getenv("ORDERBELL_KEY"), "content-type", type, "idempotency-key", key).build();
        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() < 300) return answer.body(); else throw new java.io.IOException("orderbell has refused: " + answer.body());
    }
    static boolean isSigned(Headers headers, byte[] body) throws Exception {
        String id = headers.getFirst("webhook-id"), at = headers.getFirst("webhook-timestamp"), given = headers.getFirst("webhook-signature");
        if (id == null || given == null || at == null || Math.abs(System.currentTimeMillis() / 1000 - Long.parseLong(at)) > 300) return false;
        var mac = javax.crypto.Mac.getInstance("HmacSHA256");
        mac.init(new javax.crypto.spec.SecretKeySpec(Base64.getDecoder().decode(System.getenv("WEBHOOK_SECRET").substring(6)), "HmacSHA256"));
        mac.update((id + "." + at + ".").getBytes(UTF_8)); var expected = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))).getBytes(UTF_8);
        return Arrays.stream(given.split(" ")).anyMatch(one -> java.security.MessageDigest.isEqual(one.getBytes(UTF_8), expected));
    }
    static String in(String json, String name) { var found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json); return found.find() ? found.group(1) : ""; }
    static int serve(HttpExchange http, String api) throws Exception {
        var headers = http.getRequestHeaders(); var body = http.getRequestBody().readAllBytes(); var event = new String(body, UTF_8);
        if (http.getRequestMethod().equals("GET")) return /* whose token is it */ ask(api + "/introspect", "token=" + URLEncoder.encode(headers.getFirst("authorization").substring(7), UTF_8), "application/x-www-form-urlencoded", "-").contains("\"active\":true") ? 200 : 401;
        if (!isSigned(headers, body)) return 401; // an event
        if (in(event, "type").equals("com.orderbell.order.placed")) // it may come twice, and the key makes one notification of it
            ask(api + "/notify", "{\"user\":\"%s\",\"title\":\"Thank you\",\"order\":\"%s\"}".formatted(in(event, "customer"), in(event, "subject")), "application/json", "thanks-" + in(event, "subject"));
        return 204;
    }
    public static void main(String[] args) throws Exception {
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[1])), 0);
        server.createContext("/", http -> { int status = 500; try { status = serve(http, args[0]); } catch (Exception error) { System.err.println(error); } http.sendResponseHeaders(status, -1); http.close(); }); server.start(); }
}
