#include "decode/decode.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace sluice::decode {
namespace {

class ReadAhead final : public Decoder {
 public:
  ReadAhead(std::unique_ptr<Decoder> inner, std::size_t depth)
      : inner_(std::move(inner)),
        depth_(depth == 0 ? 1 : depth),
        worker_([this](std::stop_token stop) { work(stop); }) {}
  ~ReadAhead() override {
    worker_.request_stop();
    worker_.join();
  }

  Result<bool> next(RowBatch& batch, std::stop_token stop) override {
    batch.clear();  // outside the lock: blocks go back to their pool
    std::unique_lock lock(mutex_);
    const bool ready = changed_.wait(lock, stop, [&] { return !ready_.empty() || finished_; });
    if (!ready) return fail(ErrorCode::cancelled, "stopped while decoding");
    if (!ready_.empty()) {
      std::swap(batch, ready_.front());
      spare_.push_back(std::move(ready_.front()));
      ready_.pop_front();
      changed_.notify_all();
      return true;
    }
    if (error_) return std::unexpected(*error_);
    // The last batch: empty, but it may carry rejects.
    std::swap(batch, last_);
    return false;
  }
  const Findings& findings() const override { return inner_->findings(); }
  std::uint64_t bytes_read() const override { return inner_->bytes_read(); }

 private:
  void work(std::stop_token stop) {
    RowBatch batch;
    for (;;) {
      const auto more = inner_->next(batch, stop);
      std::unique_lock lock(mutex_);
      if (!more || !*more) {
        if (!more) error_ = more.error();
        std::swap(batch, last_);
        finished_ = true;
        changed_.notify_all();
        return;
      }
      ready_.push_back(std::move(batch));
      changed_.notify_all();
      if (!changed_.wait(lock, stop, [&] { return ready_.size() < depth_; })) return;
      batch = RowBatch();
      if (!spare_.empty()) {
        batch = std::move(spare_.back());
        spare_.pop_back();
      }
    }
  }

  std::unique_ptr<Decoder> inner_;
  std::size_t depth_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<RowBatch> ready_;
  std::vector<RowBatch> spare_;  // emptied by the consumer, to be filled again
  RowBatch last_;
  std::optional<Error> error_;
  bool finished_ = false;
  std::jthread worker_;  // last: it starts when all else is there
};

}  // namespace

std::unique_ptr<Decoder> read_ahead(std::unique_ptr<Decoder> decoder, std::size_t depth) {
  return std::make_unique<ReadAhead>(std::move(decoder), depth);
}

}  // namespace sluice::decode
