// A server with the default limits in a process of its own, so that its memory can be seen:
// hostile_server [CERTIFICATE KEY], as PEM text. Prints its port and ends with its standard input.
#include <unistd.h>

#include <cstdio>

#include "http/event_stream.h"
#include "http/server.h"

using namespace holdfast;
using namespace holdfast::http;

int main(int argc, char** argv) {
  Options options;
  options.report = [](const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); };
  if (argc == 3) options.tls = crypto::CertificateAndKey{argv[1], argv[2]};
  static const std::string page(256 * 1024, 'x');
  Server server(options, [](Request& request) -> Response {
    if (request.target == "/large") return text_response(200, "text/plain", page);
    if (request.target == "/endless")
      return {200, {}, SourcedBody{[] { return page.substr(0, 64 * 1024); }, {}}};
    if (request.target == "/events") {
      auto stream = std::make_shared<EventStream>();
      while (stream->fits({"", "", page.substr(0, 1000)})) stream->post({"", "", page.substr(0, 1000)});
      return {200, {}, stream};
    }
    return text_response(200, "text/plain", "hello");
  });
  server.start();
  std::printf("%d\n", server.port());
  std::fflush(stdout);
  std::fclose(stdout);
  for (char c; ::read(STDIN_FILENO, &c, 1) > 0;) continue;
  server.stop(std::chrono::seconds(1));
  return 0;
}
