#include "fetch/nginx.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace sluice::fetch::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "/usr/sbin/nginx";

// Free at this moment; whoever needs it tries again when somebody was quicker.
int free_port() {
  const FileHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), generic, size) != 0 || ::getsockname(socket.get(), generic, &size) != 0)
    throw std::runtime_error("no free loopback port");
  return ntohs(address.sin_port);
}

// The program's exit code; what it says goes to the file `said`.
int run(std::vector<std::string> words, const fs::path& said) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const auto child = ::fork();
  if (child == 0) {
    const FileHandle nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const FileHandle out(::open(said.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    ::dup2(nothing.get(), 0);
    for (const int stream : {1, 2}) ::dup2(out.get(), stream);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

bool Nginx::installed() { return ::access(kProgram, X_OK) == 0; }

Nginx::Nginx(fs::path folder, const std::string& locations) : folder_(std::move(folder)) {
  fs::create_directories(folder_ / "www");
  if (run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
           "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-keyout",
           folder_ / "key.pem", "-out", certificate()},
          folder_ / "said") != 0)
    throw std::runtime_error("openssl makes no certificate");
  for (int tries = 0; tries < 20; ++tries)
    if (start(locations)) return;
  throw std::runtime_error("nginx does not start: " + read_file(folder_ / "said").value_or(""));
}

bool Nginx::start(const std::string& locations) {
  http_port_ = free_port();
  https_port_ = free_port();
  std::ofstream(folder_ / "nginx.conf") << fmt::format(
      R"(daemon on; master_process off; {user} pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; default_type application/octet-stream; types {{ text/csv csv; application/json json; }}
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl http2;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    root {folder}/www;
    {locations}
  }}
}})",
      fmt::arg("user", ::getuid() == 0 ? "user root;" : ""), fmt::arg("folder", folder_.string()),
      fmt::arg("http", http_port_), fmt::arg("https", https_port_), fmt::arg("locations", locations));
  // It leaves for the background when it listens: its first process ends then.
  if (run({kProgram, "-p", folder_, "-c", folder_ / "nginx.conf", "-e", folder_ / "error.log"},
          folder_ / "said") != 0)
    return false;
  std::ifstream(folder_ / "pid") >> pid_;
  return pid_ > 0;
}

Nginx::~Nginx() {
  if (pid_ <= 0) return;
  const FileHandle process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  ::kill(pid_, SIGTERM);
  pollfd ended{process.get(), POLLIN, 0};
  while (process && ::poll(&ended, 1, -1) < 0) {
  }
}

std::string Nginx::http(std::string_view path, std::string_view host) const {
  return fmt::format("http://{}:{}{}", host, http_port_, path);
}

std::string Nginx::https(std::string_view path, std::string_view host) const {
  return fmt::format("https://{}:{}{}", host, https_port_, path);
}

}  // namespace sluice::fetch::test
