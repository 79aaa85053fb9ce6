import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Does what the official SDK for Java does on the wire, with the HTTP client and the key of the JDK.
 *
 * <pre>java JdkClient.java URL TOKEN CREDENTIAL_ID KEY_FILE METHOD TARGET [BODY]</pre>
 *
 * Prints the status, and the answer on the next line. The key is Ed25519 in PKCS #8.
 */
final class JdkClient {
    private final HttpClient http = HttpClient.newHttpClient();
    private final String url;
    private final String token;
    private final String credentialId;
    private final PrivateKey key;

    private JdkClient(String url, String token, String credentialId, PrivateKey key) {
        this.url = url;
        this.token = token;
        this.credentialId = credentialId;
        this.key = key;
    }

    public static void main(String[] arguments) throws Exception {
        PrivateKey key = readKey(Path.of(arguments[3]));
        JdkClient client = new JdkClient(arguments[0], arguments[1], arguments[2], key);
        String body = arguments.length > 6 ? arguments[6] : null;
        HttpResponse<String> answer = client.call(arguments[4], arguments[5], body);
        System.out.println(answer.statusCode());
        System.out.println(answer.body());
    }

    private static PrivateKey readKey(Path file) throws Exception {
        String pem = Files.readString(file).replaceAll("-----[A-Z ]+-----|\\s", "");
        byte[] der = Base64.getDecoder().decode(pem);
        return KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(der));
    }

    private HttpResponse<String> call(String method, String target, String body) throws Exception {
        String userAction = method.equals("GET") ? null : userAction(method, target, body);
        return send(method, target, body, userAction);
    }

    /** The query is not announced, and no body is announced as an empty one, as the SDK does. */
    private String userAction(String method, String target, String body) throws Exception {
        String announced =
                "{\"userActionPayload\":" + quoted(body == null ? "{}" : body)
                        + ",\"userActionHttpMethod\":" + quoted(method)
                        + ",\"userActionHttpPath\":" + quoted(target.split("\\?")[0])
                        + ",\"userActionServerKind\":\"Api\"}";
        String challenge = answered(send("POST", "/auth/action/init", announced, null));
        String clientData =
                "{\"type\":\"key.get\",\"challenge\":" + quoted(member(challenge, "challenge"))
                        + ",\"crossOrigin\":false}";
        String completion =
                "{\"challengeIdentifier\":" + quoted(member(challenge, "challengeIdentifier"))
                        + ",\"firstFactor\":{\"kind\":\"Key\",\"credentialAssertion\":{\"credId\":"
                        + quoted(credentialId)
                        + ",\"clientData\":" + quoted(base64url(clientData.getBytes(StandardCharsets.UTF_8)))
                        + ",\"signature\":" + quoted(base64url(sign(clientData))) + "}}}";
        return member(answered(send("POST", "/auth/action", completion, null)), "userAction");
    }

    private HttpResponse<String> send(String method, String target, String body, String userAction)
            throws IOException, InterruptedException {
        BodyPublisher content = body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body);
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(url + target))
                        .header("Authorization", "Bearer " + token)
                        .header("Content-Type", "application/json")
                        .header("Accept", "application/json")
                        .method(method, content);
        if (userAction != null) {
            request.header("X-DFNS-USERACTION", userAction);
        }
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private byte[] sign(String message) throws Exception {
        Signature signature = Signature.getInstance("Ed25519");
        signature.initSign(key);
        signature.update(message.getBytes(StandardCharsets.UTF_8));
        return signature.sign();
    }

    private static String answered(HttpResponse<String> answer) {
        if (answer.statusCode() != 200) {
            throw new IllegalStateException(answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    private static String member(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\\s*\"([^\"]*)\"").matcher(json);
        if (!found.find()) {
            throw new IllegalStateException("no " + name + " in the answer");
        }
        return found.group(1);
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    private static String base64url(byte[] data) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(data);
    }
}
