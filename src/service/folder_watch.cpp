#include "service/folder_watch.h"

#include "base/file.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace sluice::service {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                  IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR;

// What editors write beside the file while they save it. "..data" is how mounted configuration is swapped.
bool ignored(std::string_view name) {
  if (name == "..data") return false;
  constexpr std::array<std::string_view, 6> kEndings = {"~", ".swp", ".swx", ".swpx", ".tmp", ".bak"};
  return name.starts_with('.') || name.starts_with('#') || name == "4913" ||
         std::any_of(kEndings.begin(), kEndings.end(), [&](auto ending) { return name.ends_with(ending); });
}

// What polling compares: a file is another one when any of these differs.
using Stamp = std::tuple<std::int64_t, std::uintmax_t, bool>;

std::map<std::string, Stamp> snapshot(const fs::path& root) {
  std::map<std::string, Stamp> files;
  std::error_code error;
  // The root itself, so that an empty folder is not the same as none.
  if (fs::is_directory(root, error)) files.emplace(root.string(), Stamp{0, 0, true});
  fs::recursive_directory_iterator entry(root, fs::directory_options::skip_permission_denied, error);
  while (!error && entry != fs::recursive_directory_iterator()) {
    std::error_code gone;
    const bool directory = entry->is_directory(gone) && !entry->is_symlink(gone);
    if (ignored(entry->path().filename().string())) {
      if (directory) entry.disable_recursion_pending();
    } else {
      const auto time = fs::last_write_time(entry->path(), gone).time_since_epoch().count();
      // A folder's own time changes with every temporary file in it and says nothing that its files do not.
      files.emplace(entry->path().string(),
                    directory ? Stamp{0, 0, true} : Stamp{time, fs::file_size(entry->path(), gone), false});
    }
    entry.increment(error);
  }
  return files;
}

}  // namespace

struct FolderWatch::State {
  fs::path root;
  FolderWatchOptions options;
  Callback changed;
  FileHandle inotify;
  FileHandle wake;  // eventfd: stop was asked for
  std::unordered_map<int, fs::path> folders;
  std::map<std::string, Stamp> seen;  // polling
  std::atomic<bool> poll_only = false;
  std::thread thread;

  // Watches a folder and all below it. False when the system refuses (watch limit, no inotify).
  bool add_folder(const fs::path& folder) {
    const int watch = inotify_add_watch(inotify.get(), folder.c_str(), kEvents);
    if (watch < 0) return errno == ENOENT || errno == ENOTDIR || errno == EACCES;  // gone again, or not ours
    folders[watch] = folder;
    std::error_code error;
    for (fs::directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code gone;
      if (entry->is_directory(gone) && !entry->is_symlink(gone) &&
          !ignored(entry->path().filename().string()) && !add_folder(entry->path()))
        return false;
    }
    return true;
  }

  bool start_inotify() {
    folders.clear();
    inotify = FileHandle(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    return inotify && add_folder(root) && !folders.empty();
  }

  // Reads what has come; true when something of interest is among it.
  bool drain() {
    alignas(inotify_event) std::array<char, 16 * 1024> buffer;
    bool interesting = false;
    for (;;) {
      const auto got = ::read(inotify.get(), buffer.data(), buffer.size());
      if (got <= 0) return interesting;
      for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        inotify_event event;
        std::memcpy(&event, buffer.data() + at, sizeof event);
        const std::string_view name =
            event.len > 0 ? std::string_view(buffer.data() + at + sizeof event) : std::string_view();
        at += sizeof event + event.len;
        interesting |= take(event, name);
      }
    }
  }

  bool take(const inotify_event& event, std::string_view name) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) {  // events were lost: look at everything again
      if (!start_inotify()) poll_only = true;
      return true;
    }
    const auto folder = folders.find(event.wd);
    if (folder == folders.end()) return false;
    if ((event.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
      const bool was_root = folder->second == root;
      std::error_code unreadable;
      // A renamed folder tells "moved to" before "moved itself": its watch goes by the new path already then.
      if ((event.mask & IN_MOVE_SELF) != 0 && !was_root && fs::is_directory(folder->second, unreadable))
        return true;
      if ((event.mask & IN_MOVE_SELF) != 0) inotify_rm_watch(inotify.get(), event.wd);
      folders.erase(folder);
      if (was_root) folders.clear();  // run() waits for it to come back
      return true;
    }
    if (name.empty() || ignored(name)) return false;
    if ((event.mask & IN_ISDIR) != 0 && (event.mask & (IN_CREATE | IN_MOVED_TO | IN_ATTRIB)) != 0) {
      // Files may have been put into it before the watch stood; the callback reads the folder as a whole. One
      // that could not be read may be readable now.
      if (!add_folder(folder->second / name)) poll_only = true;
    }
    return true;
  }

  enum class Woken { stop, change, timeout };

  Woken wait(std::chrono::milliseconds timeout, bool with_inotify) {
    std::array<pollfd, 2> fds = {{{wake.get(), POLLIN, 0}, {inotify.get(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), with_inotify ? 2 : 1, static_cast<int>(timeout.count()));
    if (fds[0].revents != 0) return Woken::stop;
    return ready > 0 ? Woken::change : Woken::timeout;
  }

  bool run_once() {
    if (poll_only) {
      if (wait(options.poll_interval, false) == Woken::stop) return false;
      auto now = snapshot(root);
      if (now != seen) {
        seen = std::move(now);
        changed();
      }
      return true;
    }
    if (folders.empty()) {  // the root is gone
      if (wait(std::min(options.poll_interval, std::chrono::milliseconds{200}), false) == Woken::stop)
        return false;
      std::error_code error;
      if (fs::is_directory(root, error)) {
        if (!start_inotify()) fall_back();
        changed();
      }
      return true;
    }
    const auto woken = wait(std::chrono::milliseconds{-1}, true);
    if (woken == Woken::stop) return false;
    if (!drain()) return true;
    const auto last = Steady::now() + 10 * options.quiet;
    while (Steady::now() < last && !poll_only) {
      const auto more = wait(options.quiet, true);
      if (more == Woken::stop) return false;
      if (more == Woken::timeout) break;
      drain();
    }
    if (poll_only) fall_back();
    changed();
    return true;
  }

  void fall_back() {
    poll_only = true;
    folders.clear();
    inotify = FileHandle();
    seen = snapshot(root);
  }
};

FolderWatch::FolderWatch(fs::path root, FolderWatchOptions options) : state_(std::make_unique<State>()) {
  state_->root = std::move(root);
  state_->options = options;
}

FolderWatch::~FolderWatch() { stop(); }

Result<void> FolderWatch::start(Callback changed) {
  auto& state = *state_;
  if (state.thread.joinable()) return fail(ErrorCode::internal, "the folder watch runs already");
  std::error_code error;
  if (!fs::is_directory(state.root, error))
    return fail(ErrorCode::not_found, fmt::format("there is no folder \"{}\" to watch", state.root.string()));
  state.wake = FileHandle(eventfd(0, EFD_CLOEXEC));
  if (!state.wake) return fail(ErrorCode::io, "eventfd: " + os_message(errno));
  state.changed = std::move(changed);
  if (state.options.force_polling || !state.start_inotify()) state.fall_back();
  state.thread = std::thread([&state] {
    while (state.run_once()) {
    }
  });
  return {};
}

void FolderWatch::stop() {
  auto& state = *state_;
  if (!state.thread.joinable()) return;
  const std::uint64_t one = 1;
  // An eventfd's counter is far from full: the write cannot fail.
  [[maybe_unused]] const auto written = ::write(state.wake.get(), &one, sizeof one);
  state.thread.join();
}

bool FolderWatch::polling() const { return state_->poll_only; }

}  // namespace sluice::service
