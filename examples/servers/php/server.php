<?php // ORDERBELL_API=… ORDERBELL_KEY=obk_… WEBHOOK_SECRET=whsec_… php -S 127.0.0.1:<port> server.php
function ask(string $path, string $body, string $type, string $key = ''): array {
    $headers = ['Authorization: Bearer ' . getenv('ORDERBELL_KEY'), "Content-Type: $type", "Idempotency-Key: $key"];
    $http = ['method' => 'POST', 'header' => $headers, 'content' => $body, 'timeout' => 10, 'follow_location' => 0];
    $answer = file_get_contents(getenv('ORDERBELL_API') . $path, false, stream_context_create(['http' => $http]));
    if ($answer === false) throw new RuntimeException("orderbell has refused $path");
    return json_decode($answer, true, 512, JSON_THROW_ON_ERROR);
}
function isSigned(string $body): bool {
    [$id, $at, $given] = array_map(fn ($name) => $_SERVER["HTTP_WEBHOOK_$name"] ?? '', ['ID', 'TIMESTAMP', 'SIGNATURE']);
    $secret = base64_decode(substr(getenv('WEBHOOK_SECRET'), strlen('whsec_')));
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$at.$body", $secret, true));
    $found = array_filter(explode(' ', $given), fn ($one) => hash_equals($expected, $one));
    return ctype_digit($at) && abs(time() - (int) $at) < 300 && count($found) > 0;
}
if ($_SERVER['REQUEST_METHOD'] === 'GET') { // whose token is it
    $token = preg_replace('/^Bearer /', '', $_SERVER['HTTP_AUTHORIZATION'] ?? '');
    $found = ask('/introspect', http_build_query(['token' => $token ?: '-']), 'application/x-www-form-urlencoded');
    http_response_code($found['active'] ? 200 : 401);
    exit($found['sub'] ?? '');
}
$body = file_get_contents('php://input'); // an event; it may come twice, and the key makes one notification of it
if (!isSigned($body)) exit(http_response_code(401));
$event = json_decode($body, true, 512, JSON_THROW_ON_ERROR);
if ($event['type'] === 'com.orderbell.order.placed') {
    $notice = ['user' => $event['data']['order']['customer'], 'title' => 'Thank you', 'order' => $event['subject']];
    ask('/notify', json_encode($notice), 'application/json', "thanks-{$event['subject']}");
}
http_response_code(204);
