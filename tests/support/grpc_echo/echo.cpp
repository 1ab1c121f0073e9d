// A gRPC server and a gRPC client on the real C++ library, steered by command lines. Both print what they
// saw, one line at a time, so that a test reads along.
#include "echo.grpc.pb.h"
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <thread>

namespace {

using echo::Message;

void say(const std::string& line) { std::cout << line << std::endl; }

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "fail 5" ends with status 5; "wait" ends when the caller leaves; everything else is echoed.
class Service final : public echo::Echo::Service {
  grpc::Status Unary(grpc::ServerContext* context, const Message* asked, Message* answer) override {
    if (asked->text().rfind("fail ", 0) == 0)
      return {static_cast<grpc::StatusCode>(std::atoi(asked->text().c_str() + 5)),
              "as you wish: 100% \xc3\xa9"};
    if (asked->text() == "wait") return wait(context);
    if (asked->text() == "left") {
      const auto left = context->deadline() - std::chrono::system_clock::now();
      answer->set_count(
          static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count()));
    }
    for (const auto& [name, value] : context->client_metadata())
      if (name == "x-question")
        context->AddInitialMetadata("x-answer", std::string(value.data(), value.size()));
    context->AddTrailingMetadata("x-trailer", "bye");
    answer->set_text(asked->text());
    answer->set_payload(asked->payload());
    return grpc::Status::OK;
  }
  grpc::Status Collect(grpc::ServerContext* context, grpc::ServerReader<Message>* reader,
                       Message* answer) override {
    Message one;
    std::string all;
    int count = 0;
    for (; reader->Read(&one); ++count) all += one.text();
    if (context->IsCancelled()) say("cancelled");
    answer->set_text(all.substr(0, 100));
    answer->set_count(count);
    return grpc::Status::OK;
  }
  grpc::Status Expand(grpc::ServerContext* context, const Message* asked,
                      grpc::ServerWriter<Message>* writer) override {
    Message one = *asked;
    for (int i = 0; i < asked->count(); ++i) {
      one.set_count(i);
      if (!writer->Write(one)) break;
    }
    return asked->text() == "wait" ? wait(context) : grpc::Status::OK;
  }
  grpc::Status Chat(grpc::ServerContext* context, grpc::ServerReaderWriter<Message, Message>* both) override {
    context->AddTrailingMetadata("x-trailer", "bye");
    for (Message one; both->Read(&one);) both->Write(one);
    return grpc::Status::OK;
  }
  static grpc::Status wait(grpc::ServerContext* context) {
    say("waiting");
    for (int i = 0; i < 3000 && !context->IsCancelled(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    say(context->IsCancelled() ? "cancelled" : "never cancelled");
    return grpc::Status::CANCELLED;
  }
};

using Options = std::map<std::string, std::string>;

int serve(Options& options) {
  grpc::EnableDefaultHealthCheckService(true);
  Service service;
  grpc::ServerBuilder builder;
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  if (options.count("cert")) {
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({read_file(options["key"]), read_file(options["cert"])});
    credentials = grpc::SslServerCredentials(tls);
  }
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", credentials, &port);
  builder.SetMaxReceiveMessageSize(64 << 20);
  if (options.count("streams"))
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, std::atoi(options["streams"].c_str()));
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  say("port " + std::to_string(port));
  for (std::string line; std::getline(std::cin, line);) {
    server->GetHealthCheckService()->SetServingStatus(line == "well");
    say("health " + line);
  }
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

void tell(const grpc::Status& status, const grpc::ClientContext& context) {
  for (const auto& [name, value] : context.GetServerInitialMetadata())
    if (name == "x-answer") say("head x-answer " + std::string(value.data(), value.size()));
  for (const auto& [name, value] : context.GetServerTrailingMetadata())
    if (name == "x-trailer") say("trailer " + std::string(value.data(), value.size()));
  say("status " + std::to_string(status.error_code()) + " " + status.error_message());
}

int call(Options& options, const std::string& kind) {
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (options.count("ca")) credentials = grpc::SslCredentials({read_file(options["ca"]), "", ""});
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(64 << 20);
  if (options.count("ca"))
    arguments.SetSslTargetNameOverride(options["authority"]);
  else
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, options["authority"]);
  const auto stub = echo::Echo::NewStub(grpc::CreateCustomChannel(options["target"], credentials, arguments));

  grpc::ClientContext context;
  const int deadline = options.count("deadline") ? std::atoi(options["deadline"].c_str()) : 20'000;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(deadline));
  context.AddMetadata("x-question", "why");
  Message asked;
  asked.set_text(options["text"]);
  asked.set_payload(std::string(std::strtoul(options["bytes"].c_str(), nullptr, 10), 'x'));
  const int count = std::atoi(options["count"].c_str());
  asked.set_count(count);
  Message answer;
  if (kind == "unary") {
    const grpc::Status status = stub->Unary(&context, asked, &answer);
    if (status.ok())
      say("answer " + answer.text() + " " + std::to_string(answer.payload().size()) + " " +
          std::to_string(answer.count()));
    tell(status, context);
  } else if (kind == "collect") {
    const auto writer = stub->Collect(&context, &answer);
    for (int i = 0; i < count && writer->Write(asked); ++i) {
    }
    writer->WritesDone();
    const grpc::Status status = writer->Finish();
    if (status.ok()) say("answer " + std::to_string(answer.count()));
    tell(status, context);
  } else if (kind == "expand") {
    const auto reader = stub->Expand(&context, asked);
    int got = 0;
    while (reader->Read(&answer) && answer.count() == got) ++got;
    say("answer " + std::to_string(got));
    tell(reader->Finish(), context);
  } else {
    // Each message is answered before the next one is sent: nothing may be held back on the way.
    const auto both = stub->Chat(&context);
    int got = 0;
    for (; got < count; ++got) {
      asked.set_count(got);
      if (!both->Write(asked) || !both->Read(&answer) || answer.count() != got) break;
    }
    both->WritesDone();
    say("answer " + std::to_string(got));
    tell(both->Finish(), context);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  std::string kind = count > 1 ? arguments[1] : "";
  for (int i = 2; i + 1 < count; i += 2) options[arguments[i]] = arguments[i + 1];
  return kind == "serve" ? serve(options) : call(options, kind);
}
