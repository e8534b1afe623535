// ORDERBELL_KEY=obk_… WEBHOOK_SECRET=whsec_… dotnet run Server.cs <api> <port>: .NET 10, or Mono. A real one takes a JSON library.
using System; using System.IO; using System.Linq; using System.Net; using System.Net.Http; using System.Text;
static class Server {
    static readonly HttpClient client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
    static string Ask(string url, string body, string type, string key) {
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent(body, Encoding.UTF8, type) };
        request.Headers.Add("Authorization", "Bearer " + Environment.GetEnvironmentVariable("ORDERBELL_KEY")); request.Headers.Add("Idempotency-Key", key);
        return client.SendAsync(request).Result.EnsureSuccessStatusCode().Content.ReadAsStringAsync().Result;
    }
    static bool IsSigned(HttpListenerRequest request, byte[] body) {
        string id = request.Headers["webhook-id"], at = request.Headers["webhook-timestamp"], given = request.Headers["webhook-signature"] ?? "";
        if (!long.TryParse(at, out var seconds) || Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds) > 300) return false;
        var secret = Convert.FromBase64String(Environment.GetEnvironmentVariable("WEBHOOK_SECRET").Substring("whsec_".Length));
        var mac = new System.Security.Cryptography.HMACSHA256(secret).ComputeHash(Encoding.UTF8.GetBytes(id + "." + at + ".").Concat(body).ToArray());
        return given.Split(' ').Any(one => one.Length == 47 && one.Zip("v1," + Convert.ToBase64String(mac), (a, b) => a ^ b).Sum() == 0);
    }
    static string In(string json, string name) => System.Text.RegularExpressions.Regex.Match(json, "\"" + name + "\":\"([^\"]*)\"").Groups[1].Value;
    static int Serve(HttpListenerRequest request, string api) {
        var bytes = new MemoryStream(); request.InputStream.CopyTo(bytes); string body = Encoding.UTF8.GetString(bytes.ToArray()), order = In(body, "subject");
        if (request.HttpMethod == "GET") return // whose token is it
            Ask(api + "/introspect", "token=" + Uri.EscapeDataString(request.Headers["authorization"].Substring(7)), "application/x-www-form-urlencoded", "-").Contains("\"active\":true") ? 200 : 401;
        if (!IsSigned(request, bytes.ToArray())) return 401;
        if (In(body, "type") == "com.orderbell.order.placed") // it may come twice, and the key makes one notification of it
            Ask(api + "/notify", "{\"user\":\"" + In(body, "customer") + "\",\"title\":\"Thank you\",\"order\":\"" + order + "\"}", "application/json", "thanks-" + order);
        return 204;
    }
    static void Main(string[] args) { var server = new HttpListener(); server.Prefixes.Add("http://127.0.0.1:" + args[1] + "/");
        for (server.Start(); ; ) { var http = server.GetContext(); try { http.Response.StatusCode = Serve(http.Request, args[0]); } catch (Exception error) { Console.Error.WriteLine(error); http.Response.StatusCode = 500; } http.Response.Close(); }
    }
}
